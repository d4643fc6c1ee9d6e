"""Small variants of any format in a store, made of a few bytes."""

from __future__ import annotations

from pathlib import Path

from whisper_models.artifact import OFFERED, Format, Manifest, Precision, Source, Variant
from whisper_models.store import UnifiedModelManager

SOURCE = Source(repo="openai/whisper-tiny.en", revision="c" * 40, endpoint="http://hub")
ONNX = Variant("tiny.en", Format.ONNX, Precision.INT8)
GGML = Variant("tiny.en", Format.GGML, Precision.Q5_0)
AUXILIARY = Variant("vad/silero", Format.AUXILIARY, Precision.STORED)
EVERY_KIND = [
    Variant("vad/silero" if form is Format.AUXILIARY else "tiny.en", form, OFFERED[form][-1]) for form in Format
]


def file_of(variant: Variant) -> str:
    """A name that a file of this variant may have."""
    match variant.format:
        case Format.GGML:
            return f"ggml-tiny.en-{variant.precision}.bin"
        case Format.COREML:
            return "ggml-tiny.en-encoder.mlmodelc/weights/weight.bin"
        case _:
            return "nested/weights"


def put_together(store: UnifiedModelManager, content: bytes, variant: Variant = ONNX) -> tuple[Path, Manifest]:
    """A workspace that is ready to be published."""
    workspace = store.workspace(variant, "key")
    file = workspace / file_of(variant)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return workspace, Manifest.describing(variant, store.entries(workspace), source=SOURCE, tools={})


def published(store: UnifiedModelManager, content: bytes = b"weights", variant: Variant = ONNX) -> Manifest:
    """A variant with one file."""
    workspace, manifest = put_together(store, content, variant)
    store.publish(workspace, manifest)
    return manifest
