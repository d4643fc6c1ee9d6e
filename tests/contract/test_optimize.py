"""A target's variants are made and held against the full weights in one go."""

from pathlib import Path

import pytest
from whisper_models.artifact import Format, Precision, Variant
from whisper_models.cli import main
from whisper_models.outcome import Exit
from whisper_models.store import UnifiedModelManager

from tests.support.artifacts import linked_copy, onnx_store


def test_the_variant_is_there_validated_and_what_is_left_out_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = UnifiedModelManager(linked_copy(onnx_store("tiny.en"), tmp_path / "models"))
    store.remove(Variant("tiny.en", Format.ONNX, Precision.INT8))
    code = main(["optimize", "--target", "cpu", "--models", "tiny.en", "--root", str(store.root)])
    said = capsys.readouterr()
    assert code == Exit.DONE
    assert "onnx int8: Dynamic INT8" in said.err
    assert "Not here: INT4" in said.err
    assert "similarity 1.000" in said.out
    made = store.manifest(Variant("tiny.en", Format.ONNX, Precision.INT8))
    assert made
    assert made.validation
    assert made.canary
