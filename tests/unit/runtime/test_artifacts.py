"""What of the store may be served."""

from pathlib import Path

import pytest
from whisper_models.artifact import Format, Manifest, Precision, Source, Validation, Variant
from whisper_models.errors import UnverifiedModel
from whisper_models.store import UnifiedModelManager
from whisper_runtime.artifacts import find_artifact

INT4 = Variant("tiny.en", Format.ONNX, Precision.INT4)


def store_with(root: Path, similarity: float | None) -> Path:
    """A store with one variant of one small file, validated at a threshold of 0.95 if at all."""
    store = UnifiedModelManager(root)
    workspace = store.workspace(INT4, "0" * 12)
    (workspace / "encoder.onnx").write_bytes(b"graph")
    source = Source(repo="openai/whisper-tiny.en", revision="1" * 40, endpoint="file")
    store.publish(workspace, Manifest.describing(INT4, store.entries(workspace), source=source, tools={}))
    if similarity is not None:
        store.record(INT4, Validation(similarity=similarity, threshold=0.95, transcripts=()), None)
    return root


def test_what_did_not_pass_its_validation_is_refused_with_both_figures(tmp_path: Path) -> None:
    root = store_with(tmp_path, similarity=0.8126)
    with pytest.raises(UnverifiedModel, match=r"tiny\.en onnx int4.* 0\.813.* 0\.950.*--allow-unverified"):
        find_artifact(root, "tiny.en", Format.ONNX, "int4")
    assert find_artifact(root, "tiny.en", Format.ONNX, "int4", allow_unverified=True).precision == "int4"


@pytest.mark.parametrize("similarity", [None, 0.95])
def test_what_passed_or_was_never_validated_is_served(tmp_path: Path, similarity: float | None) -> None:
    artifact = find_artifact(store_with(tmp_path, similarity), "whisper-tiny.en", Format.ONNX, "int4")
    assert (artifact.validation is None) == (similarity is None)
