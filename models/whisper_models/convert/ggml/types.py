"""GGML's numbers: for a file, and for how a tensor's rows are packed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from whisper_models.artifact import Precision

MAGIC = 0x67676D6C
QUANTIZATION_VERSION = 2
HEADER = 12
"""How many numbers the header has."""


@dataclass(frozen=True, slots=True)
class TensorType:
    """How a row is packed: in blocks of so many numbers, which share a scale where there are several."""

    number: int  # ggml_type
    block: int
    block_bytes: int

    def size(self, count: int) -> int:
        """The bytes of so many numbers, which are whole blocks."""
        return count // self.block * self.block_bytes


@dataclass(frozen=True, slots=True)
class FileType:
    """What the header says, and how matrices are packed."""

    number: int  # ggml_ftype, with the version of the packing where there is one
    matrices: TensorType


F32 = TensorType(0, block=1, block_bytes=4)
F16 = TensorType(1, block=1, block_bytes=2)


def _quantised(number: int, tensor: int, block_bytes: int) -> FileType:
    return FileType(QUANTIZATION_VERSION * 1000 + number, TensorType(tensor, block=32, block_bytes=block_bytes))


FILE_TYPES: Mapping[Precision, FileType] = MappingProxyType(
    {
        Precision.FP16: FileType(1, F16),
        Precision.Q4_0: _quantised(2, tensor=2, block_bytes=18),
        Precision.Q4_1: _quantised(3, tensor=3, block_bytes=20),
        Precision.Q8_0: _quantised(7, tensor=8, block_bytes=34),
        Precision.Q5_0: _quantised(8, tensor=6, block_bytes=22),
        Precision.Q5_1: _quantised(9, tensor=7, block_bytes=24),
    }
)

TENSOR_TYPES: Mapping[int, TensorType] = MappingProxyType(
    {kind.number: kind for kind in (F32, F16, *(file.matrices for file in FILE_TYPES.values()))}
)
