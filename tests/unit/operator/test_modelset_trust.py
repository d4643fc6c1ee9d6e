"""What becomes of a variant that is there: compared with its original, and read again."""

from datetime import timedelta
from typing import Any

import pytest
from whisper_models.errors import UnusableSample
from whisper_operator.api.modelset import VariantState

from tests.unit.operator.world import TINY, World, ready_world

NEW = "sha256:" + "1" * 64
ONLY_BASE = [{"name": "tiny.en"}]


def converted(**spec: Any) -> World:
    """Everything made, and the conversion about to be compared."""
    world = World(spec={"models": [TINY]} | spec)
    world.settle()
    world.bind()
    for task in ("download", "convert"):
        world.settle()
        world.succeed(task)
    world.settle()
    return world


def compared(similarity: float, **spec: Any) -> World:
    """The conversion is this near to its original."""
    world = converted(**spec)
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
    world = converted()
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
    world = converted(validation={"policy": "Report"})
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


def test_a_clip_that_cannot_be_heard_is_heard_again_without_a_change_of_the_spec() -> None:
    """Whoever mends the ConfigMap touches nothing that is watched here."""
    world = converted(validation={"samplesConfigMapRef": {"name": "clips"}})
    for attempt in (1, 2):
        world.fail("UnusableSample", "validate", retryable=UnusableSample.retryable)
        world.settle()
        assert (world.condition("Ready"), world.condition("Stalled")) == (("False", "UnusableSample"), ("", ""))
        assert world.variant("onnx").attempts == attempt
        world.wait(seconds=21)
        world.settle()
    world.succeed("validate")
    world.settle()
    assert world.condition("Ready") == ("True", "Ready")


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
