"""What must be true of a compiled encoder before it may be called one."""

from __future__ import annotations

from pathlib import Path

from whisper_models.convert.checkpoint import WhisperCheckpoint
from whisper_models.convert.coreml.encoder import encoder_bytes
from whisper_models.errors import ConversionFailed

WEIGHTS = "weights/weight.bin"
PARTS = ("coremldata.bin", "model.mil", WEIGHTS)
"""What CoreML loads a compiled program from."""


def check(target: Path, checkpoint: WhisperCheckpoint) -> None:
    """Look for every part, and for room for every weight: CoreML itself is nowhere asked.

    Raises:
        ConversionFailed: naming what is missing.
    """
    sizes = {part: (target / part).stat().st_size if (target / part).is_file() else 0 for part in PARTS}
    if missing := [part for part, size in sizes.items() if not size]:
        raise ConversionFailed(
            f"coremlc left {target.name} without {', '.join(missing)}: report this, with the version of Xcode"
        )
    if sizes[WEIGHTS] < encoder_bytes(checkpoint):
        raise ConversionFailed(
            f"{target.name} has {sizes[WEIGHTS]} bytes of weights where {encoder_bytes(checkpoint)} are needed: "
            "report this as a defect"
        )
