"""One store for a whole session with every format of a model, each made once by the real converter."""

from __future__ import annotations

from whisper_models.arguments import CONVERTED
from whisper_models.artifact import OFFERED, Precision, Variant

FOUR_BITS = frozenset({Precision.INT4, Precision.Q4_0, Precision.Q4_1})
"""Precisions that are known to cost words at tiny and base size."""


def variants(model: str) -> list[Variant]:
    """Every variant that is converted, FP32 ONNX first: the others are held against it."""
    return [Variant(model, form, precision) for form in CONVERTED for precision in OFFERED[form]]
