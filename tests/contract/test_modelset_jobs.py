"""The operator's Jobs, run as they are planned, from nothing to ready, through damage, and away again."""

from pathlib import Path

import pytest

from tests.support.claim import Claim
from tests.support.hub import Hub
from tests.unit.operator.world import TINY, World, beside, settle_all


@pytest.fixture
def claim(tmp_path: Path) -> Claim:
    return Claim(tmp_path / "claim")


@pytest.fixture
def world(hub: Hub) -> World:
    found = World(spec={"models": [TINY], "source": {"huggingFace": {"endpoint": hub.url}}, "reverifyEvery": "24h"})
    found.settle()
    found.bind()
    return found


def test_from_nothing_to_compared_for_two_sets_then_damaged_mended_and_taken_away(
    world: World, claim: Claim, hub: Hub
) -> None:
    other = beside(world, source={"huggingFace": {"endpoint": hub.url}})
    for task in ("download", "convert", "validate"):
        settle_all(world, other)
        said = claim.run(world, task)
        assert said["outcome"] == "Ready", said
        world.wait(seconds=1)
    settle_all(world, other)
    assert world.condition("Ready") == other.condition("Ready") == ("True", "Ready")
    assert claim.done == {"download": 1, "convert": 1, "validate": 1}
    found = world.variant("onnx")
    assert found.similarity is not None
    assert found.similarity > 0.95  # the figure
    assert found.size_bytes == sum(
        path.stat().st_size for path in (claim.folder / str(found.path)).iterdir() if path.name != "manifest.json"
    )

    victim = claim.folder / str(found.path) / "decoder.onnx"
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.chmod(0o644)
    victim.write_bytes(content)
    world.wait(hours=25)
    world.settle()
    running = [name for name in world.jobs if "onnx" in name]
    assert [world.task(name) for name in running] == ["verify"]
    assert claim.run(world, running[0])["reason"] == "ChecksumMismatch"
    claim.run(world, next(name for name in world.jobs if "pytorch" in name))
    world.turn()
    assert world.condition("Verified") == ("False", "ChecksumMismatch")
    world.wait(seconds=11)
    world.settle()
    claim.run(world, "convert")
    world.settle()
    if world.jobs:  # its manifest is new, and what was written beside the old one is gone
        claim.run(world, "validate")
        world.settle()
    assert world.condition("Ready") == ("True", "Ready")
    assert world.variant("onnx").digest == found.digest

    other.change(models=[{"name": "tiny.en"}])
    world.change(models=[{"name": "tiny.en"}])
    settle_all(world, other)
    assert claim.run(world, "remove")["outcome"] == "Removed"
    settle_all(world, other)
    assert not world.resource.status.leaving
    assert not (claim.folder / str(found.path)).exists()
    assert world.condition("Ready") == ("True", "Ready")
