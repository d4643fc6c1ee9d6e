"""A conversion from the store into the store: checked before it counts, done once, and never half there."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from whisper_models.artifact import Format, Precision, Variant
from whisper_models.convert import job
from whisper_models.convert import onnx as onnx_format
from whisper_models.convert.job import convert
from whisper_models.errors import ConversionFailed, DiskFull, Incomplete, SourceMissing, UnsupportedCheckpoint
from whisper_models.progress import Progress, Stage
from whisper_models.store import UnifiedModelManager

from tests.support import random_checkpoint
from tests.support.artifacts import import_checkpoint

INT8 = Variant("tiny", Format.ONNX, Precision.INT8)


@pytest.fixture
def store(tmp_path: Path) -> UnifiedModelManager:
    """A store with a small random checkpoint as its only base variant."""
    folder = random_checkpoint.write_whole(tmp_path / "hf", random_checkpoint.random_tensors(80), mel_bins=80)
    store = UnifiedModelManager(tmp_path / "models")
    import_checkpoint(store, "tiny", folder)
    return store


def test_a_conversion_is_published_with_what_it_was_made_from(store: UnifiedModelManager) -> None:
    progress = Progress()
    manifest = convert(store, INT8, progress)
    base = store.manifest(Variant.base("tiny"))
    assert base is not None
    assert (manifest.made_from, manifest.source) == (base.digest, base.source)
    assert {entry.path for entry in manifest.files} >= {"encoder.onnx", "decoder.onnx", "align.onnx", "tokenizer.json"}
    assert {"recipe", "onnx", "numpy"} == manifest.tools.keys()
    assert store.damage(INT8) == []
    assert progress.snapshot().stage is Stage.VALIDATING


@pytest.mark.parametrize(("precision", "stage"), [("fp32", Stage.CONVERTING), ("int8", Stage.OPTIMIZING)])
def test_rounding_weights_is_told_apart_from_laying_them_out(
    store: UnifiedModelManager, monkeypatch: pytest.MonkeyPatch, precision: str, stage: Stage
) -> None:
    stages: list[Stage] = []
    monkeypatch.setattr(Progress, "begin", lambda _self, stage, *_numbers: stages.append(stage))
    convert(store, Variant("tiny", Format.ONNX, Precision(precision)), Progress())
    assert stages == [Stage.VERIFYING, stage, Stage.VALIDATING]


def test_a_finished_conversion_ends_at_once_with_the_same_result(
    store: UnifiedModelManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = convert(store, INT8, Progress())
    monkeypatch.setattr(job, "_make", None)  # it would raise if it were called
    assert convert(store, INT8, Progress()) == first


def test_the_same_source_gives_the_same_digest(store: UnifiedModelManager, tmp_path: Path) -> None:
    again = UnifiedModelManager(tmp_path / "again")
    import_checkpoint(again, "tiny", tmp_path / "hf")
    assert convert(store, INT8, Progress()).digest == convert(again, INT8, Progress()).digest


def test_another_source_or_recipe_makes_it_anew(
    store: UnifiedModelManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = convert(store, INT8, Progress())
    tensors = random_checkpoint.random_tensors(80, seed=1)
    import_checkpoint(store, "tiny", random_checkpoint.write_whole(tmp_path / "hf2", tensors, mel_bins=80))
    second = convert(store, INT8, Progress())
    assert second.made_from != first.made_from
    monkeypatch.setattr(onnx_format, "RECIPE", "next")
    assert convert(store, INT8, Progress()).tools["recipe"] == "next"


def test_without_a_checkpoint_the_source_is_missing(store: UnifiedModelManager) -> None:
    with pytest.raises(SourceMissing, match="whisper-base"):
        convert(store, Variant("base", Format.ONNX, Precision.INT8), Progress())


@pytest.mark.parametrize("variant", [Variant("tiny", Format.GGML, Precision.INT8), Variant.base("tiny")], ids=str)
def test_what_is_not_made_here_is_refused_with_what_is(store: UnifiedModelManager, variant: Variant) -> None:
    with pytest.raises(UnsupportedCheckpoint, match="onnx fp32, int8"):
        convert(store, variant, Progress())


def test_too_little_space_is_refused_before_anything_is_written(
    store: UnifiedModelManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(store.root)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1_000_000))
    with pytest.raises(DiskFull):
        convert(store, INT8, Progress())


class _KilledError(BaseException):
    pass


def test_a_killed_conversion_leaves_nothing_that_counts_and_the_next_one_succeeds(
    store: UnifiedModelManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(_source: Path, target: Path, *_: object) -> None:
        (target / "encoder.onnx").write_bytes(b"half")
        raise _KilledError

    with monkeypatch.context() as patched:
        patched.setattr(onnx_format, "convert", half)
        with pytest.raises(_KilledError):
            convert(store, INT8, Progress())
    assert store.manifest(INT8) is None
    convert(store, INT8, Progress())
    assert store.damage(INT8) == []


def _drop_a_node(target: Path) -> None:
    model = onnx.load(target / "encoder.onnx", load_external_data=False)
    del model.graph.node[3]
    (target / "encoder.onnx").write_bytes(model.SerializeToString())


def _rename_an_output(target: Path) -> None:
    model = onnx.load(target / "align.onnx", load_external_data=False)
    model.graph.output[0].name = model.graph.node[-1].output[0] = "scores"
    (target / "align.onnx").write_bytes(model.SerializeToString())


def _lose_the_tail(target: Path) -> None:
    path = target / "decoder.weights"
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize("damage", [_drop_a_node, _rename_an_output, _lose_the_tail])
def test_graphs_that_are_not_sound_are_never_published(
    store: UnifiedModelManager, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], None]
) -> None:
    sound = onnx_format.convert

    def damaged(source: Path, target: Path, *options: Any) -> None:
        sound(source, target, *options)
        damage(target)

    monkeypatch.setattr(onnx_format, "convert", damaged)
    with pytest.raises(ConversionFailed):
        convert(store, INT8, Progress())
    assert store.manifest(INT8) is None


@pytest.mark.parametrize(
    ("file", "content", "expected", "said"),
    [
        ("config.json", '{"model_type": "bert"}', UnsupportedCheckpoint, "model_type"),
        ("config.json", "{}", UnsupportedCheckpoint, "model_type"),
        ("generation_config.json", '{"alignment_heads": [[9, 9]]}', UnsupportedCheckpoint, "alignment heads"),
        ("model.safetensors", "garbage", UnsupportedCheckpoint, "safetensors"),
        ("tokenizer.json", None, Incomplete, "tokenizer.json"),
    ],
)
def test_a_checkpoint_that_is_not_whisper_is_refused_with_what_is_wrong(
    tmp_path: Path, file: str, content: str | None, expected: type[Exception], said: str
) -> None:
    folder = random_checkpoint.write_whole(tmp_path / "hf", random_checkpoint.random_tensors(80), mel_bins=80)
    path = folder / file
    path.unlink() if content is None else path.write_text(content)
    store = UnifiedModelManager(tmp_path / "models")
    import_checkpoint(store, "tiny", folder)
    with pytest.raises(expected, match=said):
        convert(store, INT8, Progress())


def test_weights_of_another_size_than_the_config_says_are_refused(tmp_path: Path) -> None:
    folder = random_checkpoint.write_whole(tmp_path / "hf", random_checkpoint.random_tensors(80), mel_bins=128)
    store = UnifiedModelManager(tmp_path / "models")
    import_checkpoint(store, "tiny", folder)
    with pytest.raises(UnsupportedCheckpoint, match=r"conv1\.weight"):
        convert(store, INT8, Progress())
