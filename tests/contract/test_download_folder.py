"""Models that are on this machine already: another store, a checkpoint in a folder, a file of whisper.cpp."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from whisper_models.artifact import PREMADE, Canary, Format, Precision, Validation, Variant
from whisper_models.convert.job import convert
from whisper_models.download import FolderSource, download, download_premade
from whisper_models.errors import ChecksumMismatch, Incomplete, NotFound, UnsupportedCheckpoint, UnusableSource
from whisper_models.progress import Progress
from whisper_models.store import UnifiedModelManager

from tests.support import random_checkpoint
from tests.support.artifacts import import_checkpoint, store_with

BASE = Variant.base("mine")
GGML = Variant("tiny.en", Format.GGML, Precision.Q5_0)


@pytest.fixture(scope="module")
def tensors() -> random_checkpoint.Tensors:
    return random_checkpoint.random_tensors(80)


@pytest.fixture
def checkpoint(tmp_path: Path, tensors: random_checkpoint.Tensors) -> Path:
    return random_checkpoint.write_whole(tmp_path / "hf", tensors, mel_bins=80)


def test_a_checkpoint_in_a_folder_becomes_a_model_of_its_own(checkpoint: Path, store: UnifiedModelManager) -> None:
    manifest = download(store, "mine", FolderSource(checkpoint), Progress())
    assert (manifest.source.repo, manifest.source.endpoint) == (str(checkpoint), "file")
    weights = checkpoint / "model.safetensors"
    assert (store.path(BASE) / weights.name).read_bytes() == weights.read_bytes()
    weights.write_bytes(b"written to by its owner")
    assert store.damage(BASE) == []


def test_an_untouched_folder_is_not_read_again_and_a_touched_one_is_taken_anew(
    checkpoint: Path, store: UnifiedModelManager
) -> None:
    first = download(store, "mine", FolderSource(checkpoint), Progress())
    progress = Progress()
    assert download(store, "mine", FolderSource(checkpoint), progress) == first
    assert progress.snapshot().file is None, "no file was copied"
    content = json.loads((checkpoint / "tokenizer.json").read_text())
    (checkpoint / "tokenizer.json").write_text(json.dumps(content, indent=7))
    second = download(store, "mine", FolderSource(checkpoint), Progress())
    assert second.digest != first.digest
    assert store.damage(BASE) == []


def test_a_cache_whose_files_are_links_is_a_folder_too(
    checkpoint: Path, store: UnifiedModelManager, tmp_path: Path
) -> None:
    """As the Hub's own client keeps them: names that link to blobs."""
    snapshot = tmp_path / "models--o--r/snapshots/abc"
    snapshot.mkdir(parents=True)
    for path in checkpoint.iterdir():
        (snapshot / path.name).symlink_to(os.path.relpath(path, snapshot))
    download(store, "mine", FolderSource(snapshot), Progress())
    assert not any(path.is_symlink() for path in store.path(BASE).iterdir())
    assert store.damage(BASE) == []


def test_shards_come_with_their_index_and_a_missing_one_is_named(
    tmp_path: Path, tensors: random_checkpoint.Tensors, store: UnifiedModelManager
) -> None:
    sharded = random_checkpoint.write_sharded(tmp_path / "sharded", tensors, mel_bins=80)
    manifest = download(store, "mine", FolderSource(sharded), Progress())
    assert len([entry for entry in manifest.files if entry.path.endswith(".safetensors")]) == 3
    next(sharded.glob("model-00002*")).unlink()
    with pytest.raises(Incomplete, match="model-00002"):
        download(store, "other", FolderSource(sharded), Progress())


def test_a_pickle_is_refused_as_it_is_from_a_hub(checkpoint: Path, store: UnifiedModelManager) -> None:
    (checkpoint / "model.safetensors").rename(checkpoint / "pytorch_model.bin")
    with pytest.raises(UnsupportedCheckpoint, match="pickle"):
        download(store, "mine", FolderSource(checkpoint), Progress())


def test_a_folder_that_is_not_there_or_holds_nothing_says_so(tmp_path: Path, store: UnifiedModelManager) -> None:
    with pytest.raises(UnusableSource, match="does not exist"):
        download(store, "mine", FolderSource(tmp_path / "nowhere"), Progress())
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFound, match="empty"):
        download(store, "mine", FolderSource(tmp_path / "empty"), Progress())


@pytest.fixture
def theirs(tmp_path: Path, checkpoint: Path) -> UnifiedModelManager:
    """Another store, as on a mounted claim: a base, a variant made from it, a validation."""
    theirs = UnifiedModelManager(tmp_path / "theirs")
    import_checkpoint(theirs, "tiny", checkpoint)
    variant = Variant("tiny", Format.ONNX, Precision.INT8)
    convert(theirs, variant, Progress())
    theirs.record(variant, Validation(similarity=1, threshold=0.9, transcripts=()), Canary(clip="c", text="t"))
    return theirs


def test_a_variant_of_another_store_stays_what_it_is(theirs: UnifiedModelManager, store: UnifiedModelManager) -> None:
    variant = Variant("tiny", Format.ONNX, Precision.INT8)
    source = FolderSource(theirs.root)
    assert download(store, "tiny", source, Progress()) == theirs.manifest(Variant.base("tiny"))
    assert download_premade(store, variant, source, Progress()) == theirs.manifest(variant)
    made = convert(store, variant, Progress())
    assert made == theirs.manifest(variant), "it was made from this very checkpoint, so nothing is made again"
    theirs.remove(variant)
    theirs.remove(Variant.base("tiny"))
    assert store.damage(variant) == store.damage(Variant.base("tiny")) == []


def test_damage_in_another_store_is_not_taken_over(theirs: UnifiedModelManager, store: UnifiedModelManager) -> None:
    weights = theirs.path(Variant.base("tiny")) / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[5000] ^= 1
    weights.unlink()
    weights.write_bytes(content)
    with pytest.raises(ChecksumMismatch, match=r"model\.safetensors"):
        download(store, "tiny", FolderSource(theirs.root), Progress())
    assert store.manifests() == []


@pytest.mark.parametrize("name", ["ggml-tiny.en-q5_0.bin", "ggml-model-q5_0.bin"])
def test_a_file_of_whisper_cpp_is_taken_from_its_folder_or_by_name(
    tmp_path: Path, store: UnifiedModelManager, name: str
) -> None:
    models = tmp_path / "whisper.cpp/models"
    models.mkdir(parents=True)
    file = UnifiedModelManager(store_with(GGML)).file(GGML)
    (models / name).write_bytes(file.read_bytes())
    manifest = download_premade(store, GGML, FolderSource(models), Progress())
    assert store.file(GGML).read_bytes() == file.read_bytes()
    assert manifest.tools == {PREMADE: str(models)}
    store.remove(GGML)
    assert download_premade(store, GGML, FolderSource(models / name), Progress()).digest == manifest.digest


def test_a_variant_that_the_folder_does_not_have_is_not_found(checkpoint: Path, store: UnifiedModelManager) -> None:
    for form, precision in (
        (Format.GGML, Precision.Q5_0),
        (Format.OPENVINO, Precision.INT8),
        (Format.ONNX, Precision.INT8),
    ):
        with pytest.raises(NotFound, match="convert it from the checkpoint"):
            download_premade(store, Variant("mine", form, precision), FolderSource(checkpoint), Progress())
    assert store.manifests() == []
