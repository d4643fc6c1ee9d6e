"""What the operator's Jobs make of a variant that is published ready-made: taken, or converted and the reason told."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from whisper_models.artifact import Format, Precision, Variant
from whisper_models.catalogue import lookup
from whisper_models.commands.download import CONVERTED_BEFORE
from whisper_models.store import UnifiedModelManager

from tests.support.artifacts import import_checkpoint
from tests.support.claim import Claim
from tests.support.hub import Hub, serve
from tests.support.weights import PARCELS, hf_folder
from tests.unit.operator.world import World

FP16 = Variant("tiny.en", Format.CTRANSLATE2, Precision.FP16)
MODEL: dict[str, Any] = {"name": "tiny.en", "variants": [{"format": FP16.format, "precision": FP16.precision}]}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Where the real CTranslate2 model of tiny.en is published, as the catalogue has it."""
    published = lookup("tiny.en").published(FP16.format, FP16.precision)
    assert published is not None
    folder = tmp_path / "repositories" / published.repo
    folder.mkdir(parents=True)
    for path in PARCELS["tiny.en"].file("config.json").parent.iterdir():
        (folder / path.name).symlink_to(path)
    return folder


@pytest.fixture
def hub(repository: Path) -> Iterator[Hub]:
    openai = repository.parents[1] / "openai"
    openai.mkdir()
    (openai / "whisper-tiny.en").symlink_to(hf_folder("tiny.en"))
    with serve(repository.parents[1]) as server:
        yield server


@pytest.fixture
def claim(tmp_path: Path) -> Claim:
    return Claim(tmp_path / "claim")


@pytest.fixture
def world(hub: Hub, claim: Claim) -> World:
    """The checkpoint is there, and the variant about to be."""
    found = World(spec={"models": [MODEL], "source": {"huggingFace": {"endpoint": hub.url}}})
    found.settle()
    found.bind()
    base = import_checkpoint(UnifiedModelManager(claim.folder), "tiny.en", hf_folder("tiny.en"))
    found.succeed("download", base.digest)
    found.settle()
    return found


def test_it_is_taken_compared_and_mended_as_the_same(world: World, claim: Claim, hub: Hub, repository: Path) -> None:
    said = claim.run(world, "take")
    world.settle()
    published = f"{repository.parent.name}/{repository.name}"
    assert (said["outcome"], said["premade"], said["converted_because"]) == ("Ready", published, None)
    manifest = UnifiedModelManager(claim.folder).manifest(FP16)
    assert manifest is not None
    assert (manifest.premade, manifest.made_from, manifest.source.repo) == (published, None, published)
    claim.run(world, "validate")
    world.settle()
    found = world.variant("ctranslate2")
    assert world.condition("Ready") == ("True", "Ready")
    assert (found.taken_from, found.revision) == (published, manifest.source.revision)
    assert found.similarity is not None
    assert found.similarity > 0.95  # the figure

    (claim.folder / str(found.path) / "config.json").unlink()
    world.wait(seconds=1)
    world.complain("ctranslate2/fp16")
    world.settle()
    world.wait(seconds=11)
    world.settle()
    asked = len(hub.requests)
    assert claim.run(world, "take")["digest"] == found.digest
    assert not any("model.bin" in str(line) for line in hub.requests[asked:]), "only what is damaged is fetched"
    world.settle()
    assert world.variant("ctranslate2").taken_from == published


def test_never_converts_what_was_taken_and_what_was_converted_stays(
    world: World, claim: Claim, hub: Hub, repository: Path
) -> None:
    claim.run(world, "take")
    world.settle()
    asked = len(hub.requests)
    world.change(readyMade="Never")
    world.settle()
    said = claim.run(world, "convert")
    world.settle()
    manifest = UnifiedModelManager(claim.folder).manifest(FP16)
    assert manifest is not None
    assert (manifest.premade, manifest.made_from, manifest.digest) == (None, world.variant().digest, said["digest"])
    assert (world.variant("ctranslate2").taken_from, len(hub.requests)) == (None, asked)

    world.succeed("validate")
    world.settle()
    world.change(readyMade="IfPublished")
    world.settle()
    found = world.variant("ctranslate2")
    assert (world.jobs, found.digest) == ({}, said["digest"])
    assert found.converted_because == CONVERTED_BEFORE


def test_a_person_can_say_the_same(claim: Claim, hub: Hub, repository: Path) -> None:
    def download(*words: str) -> list[dict[str, Any]]:
        asked = ["download", "--models", "tiny.en", "--formats", FP16.format, "--endpoint", hub.url, "--json", *words]
        line = [sys.executable, "-m", "whisper_models.cli", *asked, "--root", str(claim.folder)]
        ended = subprocess.run(line, capture_output=True, text=True, timeout=300, check=False)
        assert ended.returncode == 0, ended.stderr
        return [json.loads(row) for row in ended.stdout.splitlines()]

    published = f"{repository.parent.name}/{repository.name}"
    assert [row["premade"] for row in download()] == [None, published]
    asked = len(hub.requests)
    assert [row["premade"] for row in download("--no-ready-made")] == [None, None]
    manifest = UnifiedModelManager(claim.folder).manifest(FP16)
    assert manifest is not None
    assert manifest.made_from
    assert len(hub.requests) == asked


def refused(hub: Hub, _repository: Path) -> None:
    hub.faults.replace([{"kind": "status", "status": 401, "path": "*faster-whisper*"}])


def withdrawn(_hub: Hub, repository: Path) -> None:
    shutil.rmtree(repository)


def something_else(_hub: Hub, repository: Path) -> None:
    (repository / "model.bin").unlink()
    (repository / "model.bin").write_bytes(b"no model")


def corrupted(hub: Hub, _repository: Path) -> None:
    hub.faults.replace([{"kind": "corrupt", "path": "*model.bin"}])


def gone(hub: Hub, _repository: Path) -> None:
    hub.shutdown()
    hub.server_close()


@pytest.mark.parametrize("how", [withdrawn, refused, something_else, corrupted, gone])
def test_where_it_is_not_to_be_had_the_checkpoint_is_converted_and_the_reason_told(
    world: World, claim: Claim, hub: Hub, repository: Path, how: Any
) -> None:
    how(hub, repository)
    said = claim.run(world, "take")
    world.settle()
    found = world.variant("ctranslate2")
    assert (said["outcome"], found.taken_from, found.made_from) == ("Ready", None, world.variant().digest)
    assert found.converted_because
    manifest = UnifiedModelManager(claim.folder).manifest(FP16)
    assert manifest is not None
    assert (manifest.made_from, manifest.premade) == (found.made_from, None)


def test_what_was_converted_once_is_not_exchanged(world: World, claim: Claim, hub: Hub, repository: Path) -> None:
    """As after an upgrade, or where another set takes over the claim: nobody is asked, and nothing is made again."""
    elsewhere = repository.rename(repository.with_name("elsewhere"))
    digest = claim.run(world, "take")["digest"]
    elsewhere.rename(repository)
    world.status, world.jobs = {}, {}
    world.settle()
    world.succeed("download")
    world.settle()
    asked = len(hub.requests)
    said = claim.run(world, "take")
    assert (said["digest"], said["premade"]) == (digest, None)
    assert "before" in said["converted_because"]
    assert len(hub.requests) == asked
