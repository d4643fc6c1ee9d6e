"""A variable of CTranslate2's that reads its numbers when they are written, so that no model lies whole in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ctranslate2.specs.model_spec import Variable
from numpy.typing import NDArray

from whisper_models.convert.weights import Weights

HALF = "float16"
FLOAT = "float32"


@dataclass(frozen=True, slots=True)
class Tensor:
    """One of a checkpoint's tensors, or zeros where the checkpoint has none."""

    name: str
    shape: tuple[int, ...]
    stored: bool = True


class Stored(Variable):  # type: ignore[misc] # it ships no types
    """Tensors of a checkpoint, one below the other, in the numbers that are asked for."""

    def __init__(self, weights: Weights, parts: Sequence[Tensor], dtype: str = FLOAT) -> None:
        self._weights = weights
        self._parts = tuple(parts)
        self._dtype = dtype

    @property
    def shape(self) -> list[int]:
        """All rows of all parts."""
        return [sum(part.shape[0] for part in self._parts), *self._parts[0].shape[1:]]

    @property
    def dtype(self) -> str:
        """As numpy calls it."""
        return self._dtype

    def numpy(self) -> NDArray[Any]:
        """The numbers, read anew: whoever asks for float32 may write to them.

        Raises:
            UnsupportedCheckpoint: a number is too large for this precision.
        """
        arrays = [self._read(part) for part in self._parts]
        return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)

    def num_bytes(self) -> int:
        """What `to_bytes` will give."""
        return int(np.prod(self.shape)) * np.dtype(self._dtype).itemsize

    def to_bytes(self) -> bytes:
        """The numbers as they are written."""
        return self.numpy().tobytes()

    def _read(self, part: Tensor) -> NDArray[Any]:
        if not part.stored:
            return np.zeros(part.shape, self._dtype)
        return self._weights.half(part.name) if self._dtype == HALF else self._weights[part.name]

    def _to(self, dtype: str) -> Stored:
        return Stored(self._weights, self._parts, dtype)

    def _equal(self, other: Stored) -> bool:
        """Made of the same tensors: a matrix that a checkpoint uses twice is written once."""
        return self._parts == other._parts
