"""Jobs that an earlier set of the name left behind, or that lost their owner to an edit: the set takes them in."""

from typing import Any

import pytest

from tests.unit.operator.world import World


def orphan(world: World, **label: str) -> None:
    """The set comes anew, and what it made is nobody's."""
    for name, one in world.jobs.items():
        meta: dict[str, Any] = one["metadata"] | {"ownerReferences": []}
        world.jobs[name] = one | {"metadata": meta | {"labels": meta["labels"] | label}}
    world.status = {}


@pytest.fixture
def world() -> World:
    found = World()
    found.settle()
    found.bind()
    found.settle()
    return found


def test_one_that_ends_well_is_taken_down_and_removed(world: World) -> None:
    orphan(world)
    world.settle()
    world.succeed("pytorch")
    world.settle()
    assert world.variant().state == "Ready"
    assert [name for name in world.jobs if "pytorch" in name] == []


def test_one_that_failed_is_started_again(world: World) -> None:
    world.fail("NotFound")
    orphan(world)
    world.settle()
    world.wait(minutes=1)
    world.settle()
    assert len(world.made) == 2


def test_one_that_is_no_longer_wanted_goes(world: World) -> None:
    orphan(world)
    world.change(models=[{"name": "base"}])
    world.settle()
    assert [name for name in world.jobs if "tiny" in name] == []


def test_one_that_names_a_set_which_is_gone_is_taken_in(world: World) -> None:
    orphan(world, **{"whisper.livetranslate.io/modelset": "another"})
    world.settle()
    world.fail("NotFound")
    world.settle()
    world.wait(minutes=10)
    world.settle()
    assert len(world.made) == 2
    assert world.variant().last_failure
