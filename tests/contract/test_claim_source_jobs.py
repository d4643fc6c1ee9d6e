"""A set whose models come from a claim: what a store there has is taken with its checkpoint; the rest is made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from whisper_models.artifact import Format, Precision, Variant
from whisper_models.store import UnifiedModelManager

from tests.support import random_checkpoint
from tests.support.artifacts import import_checkpoint, onnx_store
from tests.support.claim import Claim
from tests.support.weights import hf_folder
from tests.unit.operator.world import World

ONNX = Variant("tiny.en", Format.ONNX, Precision.INT8)
GGML = Variant("tiny.en", Format.GGML, Precision.Q5_1)
CLAIM = "theirs"


@pytest.fixture
def theirs() -> UnifiedModelManager:
    """What another set has filled: the checkpoint, and one variant of it."""
    return UnifiedModelManager(onnx_store("tiny.en"))


@pytest.fixture
def claim(tmp_path: Path, theirs: UnifiedModelManager) -> Claim:
    found = Claim(tmp_path / "claim")
    found.others[CLAIM] = theirs.root
    return found


@pytest.fixture
def world() -> World:
    variants = [{"format": one.format, "precision": one.precision} for one in (ONNX, GGML)]
    source = {"persistentVolumeClaim": {"claimName": CLAIM}}
    found = World(spec={"models": [{"name": "tiny.en", "variants": variants}], "source": source})
    found.settle()
    found.bind()
    found.settle()
    return found


def test_what_the_store_there_has_is_taken_and_what_it_lacks_is_converted(
    world: World, claim: Claim, theirs: UnifiedModelManager
) -> None:
    assert claim.run(world, "download")["outcome"] == "Ready"
    world.settle()
    for form in ("onnx", "ggml"):
        assert claim.run(world, form)["outcome"] == "Ready"
    world.settle()
    there, here = theirs.manifest(ONNX), UnifiedModelManager(claim.folder)
    assert there is not None
    taken, made = world.variant("onnx"), world.variant("ggml")
    assert (taken.taken_from, taken.digest, taken.made_from) == (f"claim {CLAIM}", there.digest, None)
    assert here.manifest(ONNX) == there, "it stays what it is, with all that is known of it"
    assert (made.taken_from, made.made_from) == (None, world.variant().digest)
    assert made.converted_because
    assert [here.damage(one) for one in (ONNX, GGML)] == [[], []]

    victim = claim.folder / str(taken.path) / "config.json"
    content = victim.read_bytes()
    victim.unlink()  # it may be a link to theirs
    victim.write_bytes(content[:-1] + b" ")
    world.jobs.clear()
    world.status = {}
    for task in ("download", "onnx"):
        world.settle()
        assert claim.run(world, task)["outcome"] == "Ready"
    world.settle()
    again = world.variant("onnx")
    assert (again.taken_from, again.converted_because) == (f"claim {CLAIM}", None)
    assert here.damage(ONNX) == [], "mended from where it came from"


def test_what_was_made_from_another_checkpoint_is_not_taken(
    world: World, claim: Claim, theirs: UnifiedModelManager, tmp_path: Path
) -> None:
    other = tmp_path / "checkpoint"
    other.mkdir()
    for path in hf_folder("tiny.en").iterdir():
        (other / path.name).hardlink_to(path.resolve())
    tokenizer = other / "tokenizer.json"
    content = json.loads(tokenizer.read_text())
    tokenizer.unlink()
    tokenizer.write_text(json.dumps(content, indent=7))
    base = import_checkpoint(UnifiedModelManager(claim.folder), "tiny.en", other)
    world.succeed("download", base.digest)
    world.settle()
    said = claim.run(world, "onnx")
    world.settle()
    found, there = world.variant("onnx"), theirs.manifest(ONNX)
    assert there is not None
    assert (said["outcome"], found.taken_from, found.made_from) == ("Ready", None, base.digest)
    assert "another checkpoint" in (found.converted_because or "")
    assert there.made_from != base.digest


def test_a_folder_below_a_claim_gives_its_checkpoint_and_what_is_wanted_of_it_is_converted(tmp_path: Path) -> None:
    tensors = random_checkpoint.random_tensors(80)
    random_checkpoint.write_whole(tmp_path / "theirs/team/dialect", tensors, mel_bins=80)
    claim = Claim(tmp_path / "claim")
    claim.others[CLAIM] = tmp_path / "theirs"
    source = {"persistentVolumeClaim": {"claimName": CLAIM, "path": "team/dialect"}}
    variants = [{"format": "ggml", "precision": "fp16"}]
    world = World(spec={"models": [{"name": "dialect", "variants": variants, "source": source}]})
    world.settle()
    world.bind()
    world.settle()
    for task in ("download", "take"):
        assert claim.run(world, task)["outcome"] == "Ready"
        world.settle()
    found = world.variant("ggml")
    assert (found.taken_from, found.made_from) == (None, world.variant().digest)
    assert "ggml-dialect.bin" in (found.converted_because or "")
