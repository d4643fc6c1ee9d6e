"""What becomes of a variant that is there: compared, read again, renewed, and taken away when nobody names it."""

from datetime import timedelta
from typing import Any

import pytest
from whisper_operator.api.modelset import VariantState
from whisper_operator.api.whisperservice import WhisperService
from whisper_operator.plan.modelset.chores import REFRESH_EVERY

from tests.unit.operator.world import TINY, World, beside, ready_world, settle_all

BRANCH = {"source": {"huggingFace": {"repo": "me/tiny", "revision": "main"}}}
NEW = "sha256:" + "1" * 64
ONLY_BASE = [{"name": "tiny.en"}]


def compared(similarity: float, **spec: Any) -> World:
    """Everything made, and the conversion this near to its original."""
    world = World(spec={"models": [TINY]} | spec)
    world.settle()
    world.bind()
    for task in ("download", "convert"):
        world.settle()
        world.succeed(task)
    world.settle()
    world.succeed("validate", similarity=similarity)
    world.settle()
    return world


def test_below_the_threshold_a_variant_is_there_and_not_ready() -> None:
    world = compared(0.9)
    found = world.variant("onnx")
    assert (found.state, found.reason, found.similarity) == (VariantState.FAILED, "VariantUnverified", 0.9)
    assert found.digest
    assert world.condition("Stalled") == ("True", "VariantUnverified")
    assert world.condition("Verified") == ("False", "VariantUnverified")
    assert world.resource.status.ready == "1/2"
    assert not world.jobs


@pytest.mark.parametrize(
    "change", [{"similarity": 0.9}, {"policy": "Report"}, {"samplesConfigMapRef": {"name": "clips"}}]
)
def test_whatever_a_comparison_goes_by_makes_a_new_one_when_it_changes(change: dict[str, Any]) -> None:
    world = compared(0.91)
    made = len(world.made)
    world.change(validation=change)
    world.settle()
    assert world.task(world.running()) == "validate"
    world.succeed("validate", similarity=0.96 if "samplesConfigMapRef" in change else 0.91)
    world.settle()
    assert world.condition("Ready") == ("True", "Ready")
    assert len(world.made) == made + 1


def test_at_the_threshold_is_good_enough() -> None:
    assert compared(0.95).condition("Verified") == ("True", "Verified")


def test_a_comparison_that_cannot_be_made_is_a_failure_that_is_tried_again() -> None:
    world = World()
    world.settle()
    world.bind()
    for task in ("download", "convert"):
        world.settle()
        world.succeed(task)
    world.settle()
    world.fail("ValidationFailed", "validate")
    world.settle()
    assert world.condition("Ready") == ("False", "ValidationFailed")
    assert world.variant("onnx").digest, "it is made, and need not be made again"
    world.wait(seconds=11)
    world.settle()
    world.succeed("validate")
    world.settle()
    assert world.condition("Ready") == ("True", "Ready")
    assert world.variant("onnx").last_failure is None


def test_where_it_is_only_reported_a_failed_comparison_keeps_nothing_from_being_ready() -> None:
    world = World(spec={"models": [TINY], "validation": {"policy": "Report"}})
    world.settle()
    world.bind()
    for task in ("download", "convert"):
        world.settle()
        world.succeed(task)
    world.settle()
    world.fail("ValidationFailed", "validate")
    world.settle()
    assert world.condition("Ready") == ("True", "Ready")
    assert world.condition("Verified") == ("Unknown", "NotValidated")
    assert "ValidationFailed" in world.reasons()


def test_a_similarity_that_lies_beside_the_variant_is_not_measured_again() -> None:
    world = World()
    world.settle()
    world.bind()
    world.succeed("download")
    world.settle()
    said = {"outcome": "Ready", "digest": NEW, "similarity": 0.97, "threshold": 0.95}
    world.end(world.running("convert"), said)
    world.settle()
    assert world.condition("Ready") == ("True", "Ready")
    assert world.variant("onnx").similarity == 0.97


def test_a_comparison_that_finds_bad_bytes_has_variant_and_base_read_again() -> None:
    world = World()
    world.settle()
    world.bind()
    for task in ("download", "convert"):
        world.settle()
        world.succeed(task)
        world.wait(seconds=5)
    world.settle()
    world.fail("ChecksumMismatch", "validate")
    world.settle()
    assert world.variant().state is VariantState.FAILED
    assert world.variant("onnx").digest is None
    for task in ("download", "convert", "validate"):
        world.wait(seconds=11)
        world.settle()
        world.succeed(task)
        world.settle()
    assert world.condition("Ready") == ("True", "Ready")
    assert world.condition("Verified")[0] == "True"


def test_bytes_are_read_again_when_it_is_time_and_meanwhile_nothing_changes() -> None:
    world = ready_world(spec={"models": [TINY], "reverifyEvery": "24h"})
    plan = world.settle()
    assert plan.look_again is not None
    assert timedelta(hours=23) < plan.look_again <= timedelta(hours=24)
    world.wait(hours=25)
    world.settle()
    assert sorted(world.task(name) for name in world.jobs) == ["verify", "verify"]
    assert world.condition("Ready") == ("True", "Ready")
    for name in list(world.jobs):
        world.succeed(name)
    made = len(world.made)
    world.settle()
    assert not world.jobs
    assert len(world.made) == made


def test_a_reading_that_fails_for_another_cause_is_tried_again_and_blames_nothing() -> None:
    world = World(spec={"models": ONLY_BASE, "reverifyEvery": "24h"})
    world.settle()
    world.bind()
    world.settle()
    world.succeed("download")
    world.settle()
    world.wait(hours=25)
    world.settle()
    world.fail("OutOfMemory", "verify")
    world.settle()
    assert world.condition("Ready") == ("True", "Ready")
    world.wait(seconds=11)
    world.settle()
    assert world.task(world.running()) == "verify"


@pytest.mark.parametrize("task", ["verify", "validate"])
def test_what_somebody_took_from_the_claim_is_made_again(task: str) -> None:
    world = ready_world(spec={"models": [TINY], "reverifyEvery": "24h"})
    if task == "validate":
        world.change(validation={"similarity": 0.9})
    else:
        world.wait(hours=25)
    world.settle()
    job = next(name for name in world.jobs if "onnx" in name)
    assert world.task(job) == task
    world.fail("SourceMissing", job)
    world.settle()
    assert world.variant("onnx").digest is None
    assert world.condition("Verified") == ("False", "SourceMissing")
    for name in [name for name, one in world.jobs.items() if not one.get("status")]:
        world.succeed(name)
    world.wait(seconds=11)
    world.settle()
    for step in ("download", "convert", "validate"):
        for name in [name for name, one in world.jobs.items() if not one.get("status") and world.task(name) == step]:
            world.succeed(name)
        world.settle()
    assert world.condition("Ready") == ("True", "Ready")


def test_a_conversion_whose_base_is_gone_has_it_fetched_again() -> None:
    world = World()
    world.settle()
    world.bind()
    world.succeed("download")
    world.settle()
    world.wait(seconds=5)
    world.fail("SourceMissing", "convert")
    world.settle()
    world.wait(seconds=11)
    world.settle()
    assert world.task(world.running()) == "download"


def followed(**spec: Any) -> World:
    return ready_world(spec={"models": [TINY | BRANCH], "refreshPolicy": "OnChange"} | spec)


def test_a_branch_that_means_the_same_changes_nothing() -> None:
    world = followed()
    world.now += REFRESH_EVERY
    world.settle()
    assert [world.task(name) for name in world.jobs] == ["refresh"]
    world.succeed("refresh")
    plan = world.settle()
    assert not world.jobs
    assert plan.look_again is not None
    assert plan.look_again <= REFRESH_EVERY


def test_a_new_revision_is_converted_and_compared_anew() -> None:
    world = followed()
    world.now += REFRESH_EVERY
    world.settle()
    world.succeed("refresh", digest=NEW)
    world.settle()
    assert world.variant("pytorch").digest == NEW
    assert world.variant("onnx").state is VariantState.CONVERTING
    world.succeed("convert", digest="sha256:" + "2" * 64)
    world.settle()
    world.succeed("validate")
    world.settle()
    assert world.condition("Ready") == ("True", "Ready")
    assert world.variant("onnx").made_from == NEW


def test_a_hub_that_is_away_is_asked_again_and_nothing_is_taken_back() -> None:
    world = followed()
    world.now += REFRESH_EVERY
    world.settle()
    world.fail("HubUnreachable", "refresh")
    world.settle()
    assert world.condition("Ready") == ("True", "Ready")
    assert "HubUnreachable" in world.reasons()
    world.wait(seconds=11)
    world.settle()
    assert world.task(world.running()) == "refresh"


@pytest.mark.parametrize(
    "spec",
    [
        {"refreshPolicy": "IfNotPresent"},
        {"models": [TINY]},
        {"models": [TINY | {"source": {"huggingFace": {"repo": "me/tiny", "revision": "0" * 40}}}]},
    ],
    ids=["not asked for", "the catalogue's commit", "a commit"],
)
def test_what_cannot_or_shall_not_change_is_not_asked_about(spec: dict[str, Any]) -> None:
    world = followed(**spec)
    world.wait(days=2)
    assert world.settle().look_again is None
    assert not world.jobs


def test_a_repair_stays_at_the_revision_that_was_there() -> None:
    world = ready_world(spec={"models": [TINY | BRANCH]})
    world.wait(hours=1)
    world.complain("pytorch/stored")
    world.settle()
    world.wait(seconds=11)
    world.settle()
    args = world.jobs[world.running("download")]["spec"]["template"]["spec"]["containers"][0]["args"]
    assert args[args.index("--revision") + 1] == "r1"


def test_a_variant_that_is_no_longer_named_is_removed_and_then_forgotten() -> None:
    world = ready_world()
    world.change(models=ONLY_BASE)
    world.settle()
    assert world.condition("Ready") == ("True", "Ready")
    assert [(one.format, one.reason) for one in world.resource.status.leaving] == [("onnx", "Removing")]
    world.succeed("remove")
    world.settle()
    assert world.resource.status.leaving == ()
    assert not world.jobs
    assert "VariantRemoved" in world.reasons()


def test_a_removal_that_fails_is_tried_again() -> None:
    world = ready_world()
    world.change(models=ONLY_BASE)
    world.settle()
    world.fail("PermissionDenied", "remove")
    world.settle()
    assert world.resource.status.leaving[0].last_failure
    assert "PermissionDenied" in world.reasons()
    world.wait(seconds=11)
    world.settle()
    world.succeed("remove")
    world.settle()
    assert world.resource.status.leaving == ()


def test_one_that_comes_back_waits_for_its_removal_to_end_and_is_made_again() -> None:
    world = ready_world()
    world.change(models=ONLY_BASE)
    world.settle()
    world.change(models=[TINY])
    world.turn()
    assert world.variant("onnx").reason == "Removing"
    world.settle()
    assert world.task(world.running()) == "convert"


def service(model: str = "tiny.en") -> WhisperService:
    spec = {"modelSetRef": {"name": "models"}, "model": model, "runtimes": {"cpu": {}}}
    return WhisperService.model_validate({"metadata": {"name": "speech", "namespace": "demo"}, "spec": spec})


def test_what_a_service_asks_for_stays() -> None:
    world = ready_world()
    world.users = (service(),)
    world.change(models=ONLY_BASE)
    plan = world.settle()
    assert not world.jobs
    assert "WhisperService speech" in (world.resource.status.leaving[0].message or "")
    assert plan.look_again is not None
    world.users = (service("base"),)
    world.settle()
    assert world.task(world.running()) == "remove"


def test_what_a_pod_reads_stays() -> None:
    world = ready_world()
    world.complain(said="")
    world.change(models=ONLY_BASE)
    world.settle()
    assert "Pod cpu-" in (world.resource.status.leaving[0].message or "")
    world.readers = []
    world.settle()
    assert world.task(world.running()) == "remove"


def test_what_another_set_names_stays() -> None:
    world = ready_world()
    other = beside(world)
    settle_all(world, other)
    world.change(models=ONLY_BASE)
    settle_all(world, other)
    assert "ModelSet other" in (world.resource.status.leaving[0].message or "")
    assert not world.jobs


def test_one_that_failed_for_good_is_removed_all_the_same() -> None:
    world = World(spec={"models": [TINY, {"name": "base"}]})
    world.settle()
    world.bind()
    world.fail("UnsupportedCheckpoint", "base", retryable=False)
    world.settle()
    world.change(models=[TINY])
    world.settle()
    assert world.task(world.running("base")) == "remove"
    world.succeed("base")
    world.settle()
    assert world.resource.status.leaving == ()


def test_a_name_that_nobody_knows_leaves_nothing_behind() -> None:
    world = World(spec={"models": [TINY, {"name": "tinny"}]})
    world.settle()
    world.bind()
    world.settle()
    world.change(models=[TINY])
    world.settle()
    assert world.resource.status.leaving == ()


def test_what_was_never_begun_leaves_nothing_behind() -> None:
    world = World(classes={})
    world.settle()
    world.change(models=ONLY_BASE)
    world.settle()
    assert world.resource.status.leaving == ()


def test_what_lies_on_a_claim_that_is_no_longer_used_is_left_there() -> None:
    world = ready_world()
    world.claim = None
    world.change(models=ONLY_BASE)
    world.settle()
    assert world.resource.status.leaving == ()


def test_auxiliary_models_are_downloaded_and_need_no_comparison() -> None:
    world = World(spec={"models": ONLY_BASE, "auxiliary": ["vad/silero"]})
    world.settle()
    world.bind()
    world.settle()
    for name in list(world.jobs):
        world.succeed(name)
    world.settle()
    assert world.condition("Ready") == ("True", "Ready")
    assert [one.name for one in world.resource.status.variants] == ["tiny.en", "vad/silero"]


def test_an_auxiliary_that_nobody_knows_is_named() -> None:
    world = World(spec={"models": ONLY_BASE, "auxiliary": ["vad/goldo"]})
    world.settle()
    assert world.condition("Stalled") == ("True", "UnknownModel")


def test_an_own_model_may_come_from_a_store_without_a_source_of_its_own() -> None:
    source = {"persistentVolumeClaim": {"claimName": "store"}}
    world = World(spec={"models": [{"name": "mine"}], "source": source})
    world.settle()
    assert world.condition("Stalled") == ("", "")
    assert world.running("download")
