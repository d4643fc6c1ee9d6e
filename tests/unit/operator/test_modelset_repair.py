"""Bytes that are not what they were: who may say so, what is made again, and that one damage is mended once."""

from typing import Any

import pytest
from whisper_operator.api.modelset import VariantState
from whisper_operator.plan.modelset.variant_status import FIRST_RETRY

from tests.unit.operator.world import World, ready_world


def _later(world: World) -> None:
    """The first pause is over."""
    world.now += FIRST_RETRY
    world.settle()


def _mend(world: World) -> None:
    """It is made anew, and so compared anew: what was written beside it is gone."""
    world.succeed("convert")
    world.settle()
    world.succeed("validate")
    world.settle()


def test_a_runtimes_complaint_is_named_and_the_job_runs_again() -> None:
    world = ready_world()
    made = len(world.made)
    world.wait(hours=1)
    world.complain()
    world.settle()
    assert world.variant("onnx").state is VariantState.FAILED
    assert world.condition("Ready") == ("False", "ChecksumMismatch")
    assert world.condition("Verified") == ("False", "ChecksumMismatch")
    assert world.reasons().count("ChecksumMismatch") == 1
    assert "decoder.weights" in (world.variant("onnx").message or "")
    _later(world)
    assert len(world.made) == made + 1
    assert world.running("onnx")
    _mend(world)
    assert world.condition("Ready") == ("True", "Ready")
    assert world.condition("Verified")[0] == "True"
    assert world.variant("pytorch").state is VariantState.READY


def test_one_damage_is_mended_once_though_its_words_stay_on_the_pods() -> None:
    world = ready_world()
    made = len(world.made)
    world.wait(hours=1)
    world.complain()
    world.complain()
    world.settle()
    _later(world)
    world.wait(seconds=5)
    _mend(world)
    for _ in range(20):
        world.settle()
        world.wait(minutes=5)
    assert len(world.made) == made + 2


def test_a_pod_that_read_before_the_repair_and_tells_afterwards_is_not_heard() -> None:
    world = ready_world()
    made = len(world.made)
    world.wait(hours=1)
    world.complain()
    late = list(world.readers)
    world.settle()
    _later(world)
    world.wait(seconds=5)
    _mend(world)
    world.readers = late + late
    world.settle()
    assert len(world.made) == made + 2


def test_damage_that_comes_back_is_mended_again() -> None:
    world = ready_world()
    made = len(world.made)
    for _ in range(3):
        world.wait(hours=1)
        world.complain()
        world.settle()
        _later(world)
        world.wait(seconds=5)
        _mend(world)
    assert len(world.made) == made + 6


OTHERS: list[tuple[str, dict[str, Any]]] = [
    ("another variant", {"variant": "onnx/fp32"}),
    ("another model", {"model": "base"}),
    ("another end", {"said": "OutOfMemory: killed"}),
]


@pytest.mark.parametrize("other", [case[1] for case in OTHERS], ids=[case[0] for case in OTHERS])
def test_what_is_said_of_something_else_starts_nothing(other: dict[str, Any]) -> None:
    world = ready_world()
    made = len(world.made)
    world.wait(hours=1)
    world.complain(**other)
    world.settle()
    assert len(world.made) == made
    assert world.condition("Ready")[0] == "True"


def test_a_hub_that_is_gone_meanwhile_is_named_and_the_repair_goes_on_when_it_is_back() -> None:
    world = ready_world()
    world.wait(hours=1)
    world.complain("pytorch/stored")
    world.settle()
    _later(world)
    world.fail("HubUnreachable", "pytorch")
    world.settle()
    assert world.condition("Ready") == ("False", "HubUnreachable")
    world.wait(minutes=5)
    world.settle()
    world.succeed("pytorch")
    world.settle()
    assert world.condition("Ready") == ("True", "Ready")


def test_a_conversion_that_finds_its_base_damaged_has_that_mended_first() -> None:
    world = World()
    world.settle()
    world.bind()
    world.settle()
    world.succeed("pytorch")
    world.settle()
    world.wait(seconds=30)
    world.fail("ChecksumMismatch", "onnx")
    world.settle()
    assert world.variant("pytorch").state is VariantState.FAILED
    _later(world)
    assert [name for name in world.jobs if not world.jobs[name].get("status") and "pytorch" in name]
    assert not [name for name in world.jobs if not world.jobs[name].get("status") and "onnx" in name]
    world.wait(seconds=5)
    world.succeed("pytorch")
    world.settle()
    world.wait(seconds=20)
    world.settle()
    _mend(world)
    assert world.condition("Ready") == ("True", "Ready")
    assert world.made.count(world.made[0]) == 2


def test_a_disk_that_never_reads_right_makes_few_jobs() -> None:
    world = ready_world()
    made = len(world.made)
    for _ in range(60):  # an hour, in which the runtime starts again every minute
        world.wait(minutes=1)
        world.complain()
        world.settle()
        for name in [name for name, job in world.jobs.items() if not job.get("status")]:
            world.succeed(name)
        world.settle()
    assert 10 <= len(world.made) - made <= 60


def test_a_set_made_before_this_was_recorded_hears_the_first_complaint() -> None:
    world = ready_world()
    for one in world.status["variants"]:
        del one["verifiedAt"]
    world.complain()
    world.settle()
    assert world.variant("onnx").state is VariantState.FAILED
