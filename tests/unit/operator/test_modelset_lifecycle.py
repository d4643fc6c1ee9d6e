"""What becomes of a variant that is there: renewed, and taken away when nobody names it."""

from datetime import timedelta
from typing import Any

import pytest
from whisper_operator.api.modelset import VariantState
from whisper_operator.api.whisperservice import WhisperService

from tests.unit.operator.world import TINY, World, beside, ready_world, settle_all

BRANCH = {"source": {"huggingFace": {"repo": "me/tiny", "revision": "main"}}}
HOUR = timedelta(hours=1)
NEW = "sha256:" + "1" * 64
ONLY_BASE = [{"name": "tiny.en"}]


def followed(**spec: Any) -> World:
    return ready_world(spec={"models": [TINY | BRANCH], "refreshPolicy": "OnChange"} | spec)


def test_a_branch_that_means_the_same_changes_nothing() -> None:
    world = followed()
    world.now += HOUR
    world.settle()
    assert [world.task(name) for name in world.jobs] == ["refresh"]
    world.succeed("refresh")
    plan = world.settle()
    assert not world.jobs
    assert plan.look_again is not None
    assert plan.look_again <= HOUR


@pytest.mark.parametrize(
    ("period", "minutes"), [({}, 60), ({"refreshEvery": "5m"}, 5), ({"refreshEvery": "24h"}, 1440)]
)
def test_a_branch_is_asked_about_as_often_as_the_spec_says(period: dict[str, Any], minutes: int) -> None:
    world = followed(**period)
    world.wait(minutes=minutes - 1)
    world.settle()
    assert not world.jobs
    world.wait(minutes=1)
    world.settle()
    assert world.task(world.running()) == "refresh"


def test_a_new_revision_is_converted_and_compared_anew() -> None:
    world = followed()
    world.now += HOUR
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
    world.now += HOUR
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
