"""A manifest that cannot be read is told of by every command that looks at what is there."""

from __future__ import annotations

import pytest
from whisper_models.artifact import Format, Precision, Variant
from whisper_models.store import UnifiedModelManager

from tests.unit.models.asked import Run, lines
from tests.unit.models.builders import GGML, ONNX, published


def test_verify_finds_a_variant_whose_manifest_is_gone(
    run: Run, store: UnifiedModelManager, capsys: pytest.CaptureFixture[str]
) -> None:
    published(store)
    published(store, variant=GGML)
    (store.path(ONNX) / "manifest.json").unlink()
    assert run("verify") == 1
    said = capsys.readouterr()
    assert "onnx/whisper-tiny.en/int8 leads to no readable manifest.json" in said.err
    assert "ggml-tiny.en-q5_0.bin" in said.out
    assert run("verify", "--format", "ggml", "tiny.en") == 0


def lose(store: UnifiedModelManager, variant: Variant) -> None:
    """Change one byte of its manifest."""
    manifest = store.path(variant) / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b"{", b"[", 1))


@pytest.mark.parametrize(
    "words",
    [
        ["verify"],
        ["verify", "tiny.en"],
        ["verify", "--format", "onnx"],
        ["verify", "tiny.en", "--format", "onnx", "--precision", "int8"],
        ["validate", "--check-all", "--format", "onnx"],
        ["validate", "--models", "tiny.en", "--format", "onnx"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("alone", [True, False], ids=["alone", "beside a sound one"])
def test_a_damaged_manifest_is_a_failure_however_its_variant_is_named(
    run: Run, store: UnifiedModelManager, capsys: pytest.CaptureFixture[str], words: list[str], *, alone: bool
) -> None:
    published(store)
    if not alone:
        published(store, variant=GGML)
    lose(store, ONNX)
    assert run(*words, "--json") == 1
    failed = [row for row in lines(capsys) if row["outcome"] == "Failed"]
    assert [(row["reason"], row["model"], row["format"], row["precision"]) for row in failed] == [
        ("ChecksumMismatch", "tiny.en", "onnx", "int8")
    ]


def test_everything_is_validated_but_a_damaged_manifest_which_is_a_failure(
    run: Run, store: UnifiedModelManager, capsys: pytest.CaptureFixture[str]
) -> None:
    """CoreML's encoder needs no engine to be found sound."""
    coreml = Variant("tiny.en", Format.COREML, Precision.FP16)
    published(store, variant=coreml)
    published(store)
    assert run("validate", "--check-all", "--format", "coreml") == 0
    lose(store, ONNX)
    capsys.readouterr()
    assert run("validate", "--check-all", "--json") == 1
    assert [(row["outcome"], row["format"]) for row in lines(capsys)] == [("Failed", "onnx"), ("Ready", "coreml")]


def test_a_damaged_manifest_of_another_model_fails_nobody_who_did_not_ask_for_it(
    run: Run, store: UnifiedModelManager
) -> None:
    published(store)
    published(store, variant=Variant("base", Format.ONNX, Precision.INT8))
    lose(store, ONNX)
    assert run("verify", "base") == 0
    assert run("verify", "base", "tiny.en") == 1


@pytest.mark.parametrize("words", [[], ["--json"]], ids=["table", "json"])
def test_list_warns_of_what_it_leaves_out(
    run: Run, store: UnifiedModelManager, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    published(store)
    published(store, variant=GGML)
    lose(store, ONNX)
    assert run("list", *words) == 0
    said = capsys.readouterr()
    assert "onnx" not in said.out
    assert "ggml" in said.out
    assert said.err.startswith("tiny.en onnx int8 is left out: ")
    assert "make it again" in said.err
    store.remove(GGML)
    assert run("list", *words) == 0
    assert "has no models" not in capsys.readouterr().err
