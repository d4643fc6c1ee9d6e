"""Numbers in 8 or 4 bits, a step and a zero for each group of a row: as nncf compresses weights without data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whisper_models.convert.weights import Array

ROWS = 2048
"""How many are rounded at a time."""
LEAST_STEP = float(np.finfo(np.float32).eps)


@dataclass(frozen=True, slots=True)
class Rounded:
    """What a matrix (rows, width) became; a number is (value - zero) * step."""

    values: NDArray[np.uint8]  # (rows, groups, group)
    zeros: NDArray[np.uint8]  # (rows, groups, 1)
    steps: NDArray[np.float16]  # (rows, groups, 1)


def rounded(matrix: Array, bits: int, group: int) -> Rounded:
    """`matrix` in so many bits, each `group` numbers of a row from their least to their greatest, zero included."""
    rows, width = matrix.shape
    shape = (rows, width // group)
    found = Rounded(
        np.empty((*shape, group), np.uint8), np.empty((*shape, 1), np.uint8), np.empty((*shape, 1), np.float16)
    )
    for start in range(0, rows, ROWS):
        part = slice(start, start + ROWS)
        found.values[part], found.zeros[part], found.steps[part] = _round(
            matrix[part].reshape(-1, width // group, group), 2**bits - 1
        )
    return found


def _round(groups: Array, highest: int) -> tuple[Array, Array, Array]:
    low = np.minimum(groups.min(axis=-1, keepdims=True), 0)
    high = np.maximum(groups.max(axis=-1, keepdims=True), 0)
    steps = np.maximum((high - low) / np.float32(highest), np.float32(LEAST_STEP))
    zeros = np.clip(-np.rint(low / steps), 0, highest)
    values = groups / steps
    values += zeros
    np.rint(values, out=values)
    return np.clip(values, 0, highest, out=values), zeros, steps
