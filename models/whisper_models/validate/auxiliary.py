"""Models around transcription have no transcript: what can be known is whether a library opens them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from whisper_models.artifact import Manifest
from whisper_models.store import UnifiedModelManager
from whisper_models.validate.process import Bounds, Work, run

OPENERS: Mapping[str, str] = MappingProxyType({".onnx": "onnx_file", ".safetensors": "safetensors_file"})
"""The end of a file's name → the module of `openers` that opens it; what has no library here is left at its digest."""


def require_loadable(store: UnifiedModelManager, manifest: Manifest) -> None:
    """Open every file for which there is a library, each in a process of its own.

    Raises:
        ValidationFailed: one cannot be opened.
    """
    folder = store.path(manifest.variant)
    for entry in manifest.files:
        opener = OPENERS.get(Path(entry.path).suffix)
        if opener:
            work = Work(str(manifest.variant), f"{__package__}.openers.{opener}", folder / entry.path, (), ())
            run(work, Bounds.of(entry.size, windows=0))
