"""Whether a variant says what the full weights say: the one measure for all formats, recorded in its manifest."""

from __future__ import annotations

import importlib
from pathlib import Path

from whisper_models.artifact import Manifest, Variant
from whisper_models.errors import LibraryMissing
from whisper_models.progress import Progress
from whisper_models.store import UnifiedModelManager


def validate(
    store: UnifiedModelManager, variant: Variant, samples: Path | None, threshold: float, progress: Progress
) -> Manifest:
    """Measure a variant and record what was found; ends at once if that was measured already in the same way.

    It hears the clip that comes with this package, and the wav files in the folder `samples` as well.

    A checkpoint has nothing to be compared with, since FP32 ONNX is made from it: it is checked to be sound and
    readable. Neither has an auxiliary model: it is checked to be sound, and opened where a library for it is there.
    CoreML's encoder hears nothing by itself: it is checked to be sound.

    Raises:
        ModelFailure: ChecksumMismatch where it is damaged, ValidationFailed where its engine does not transcribe,
            LibraryMissing where the engines are not installed, else whichever of the tree in `errors` it is. A
            similarity below the threshold is no failure, but recorded.
    """
    try:
        job = importlib.import_module(f"{__name__}.job")
    except ModuleNotFoundError as error:
        raise LibraryMissing(
            f"validating needs the Python package {error.name}, which is not installed here: "
            "pip install 'whisper-models[tools,engines]'"
        ) from error
    manifest: Manifest = job.validate(store, variant, samples, threshold, progress)
    return manifest
