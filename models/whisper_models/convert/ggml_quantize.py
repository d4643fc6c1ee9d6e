"""A GGML file in f16 → the same in q8_0, q5_0 or q4_0, with the quantiser of whisper.cpp's own library.

The arithmetic is not ours: `ggml_quantize_chunk` lies in the `libggml-base.so` that the pywhispercpp wheel brings, so
the result is byte for byte what whisper.cpp's tool makes. Here is only the walk through the file. Matrices are
quantised, except positions; everything else is copied.
"""

from __future__ import annotations

import ctypes
import importlib.util
import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from whisper_models.artifact import Precision
from whisper_models.convert.ggml import F16, F32, MAGIC
from whisper_models.errors import ConversionFailed

_HEADER = 12
_QUANTIZATION_VERSION = 2
_KEPT = frozenset(
    {"encoder.conv1.bias", "encoder.conv2.bias", "encoder.positional_embedding", "decoder.positional_embedding"}
)
_MATRIX = 2


@dataclass(frozen=True, slots=True)
class BlockType:
    """How GGML packs a row: in blocks of 32 numbers that share a scale."""

    file_type: int  # what the header says (ggml_ftype)
    tensor_type: int  # what each tensor says (ggml_type)
    block_bytes: int
    block: int = 32


BLOCK_TYPES: Mapping[Precision, BlockType] = {
    Precision.Q4_0: BlockType(file_type=2, tensor_type=2, block_bytes=18),
    Precision.Q5_0: BlockType(file_type=8, tensor_type=6, block_bytes=22),
    Precision.Q8_0: BlockType(file_type=7, tensor_type=8, block_bytes=34),
}

_TYPE_BYTES: Mapping[int, int] = {F32: 4, F16: 2}
Quantizer = Callable[[NDArray[np.float32], BlockType], bytes]


@dataclass(frozen=True, slots=True)
class _Tensor:
    name: bytes
    kind: int
    dimensions: tuple[int, ...]  # innermost first
    data: bytes

    def write(self, file: BinaryIO) -> None:
        file.write(struct.pack("<3i", len(self.dimensions), len(self.name), self.kind))
        file.write(struct.pack(f"<{len(self.dimensions)}i", *self.dimensions) + self.name + self.data)


def quantize_ggml(source: Path, target: Path, precision: Precision) -> None:
    """Write `source`, an f16 file, to `target` in one of the precisions of BLOCK_TYPES."""
    block = BLOCK_TYPES[precision]
    quantize = _library()
    with source.open("rb") as read, target.open("wb") as write:
        _copy_front(read, write, block)
        while (tensor := _next(read)) is not None:
            _quantized(tensor, block, quantize).write(write)


def _copy_front(read: BinaryIO, write: BinaryIO, block: BlockType) -> None:
    """Header (with the new type), mel filters and vocabulary."""
    header = _integers(read, _HEADER)
    if header[0] != MAGIC or header[-1] != F16:
        raise ConversionFailed(f"{read.name} is not a GGML file in f16: quantise only what the f16 conversion wrote")
    _put(write, *header[:-1], _QUANTIZATION_VERSION * 1000 + block.file_type)
    bins, width = _integers(read, 2)
    _put(write, bins, width)
    write.write(read.read(bins * width * 4))
    (tokens,) = _integers(read, 1)
    _put(write, tokens)
    for _ in range(tokens):
        (length,) = _integers(read, 1)
        _put(write, length)
        write.write(read.read(length))


def _next(read: BinaryIO) -> _Tensor | None:
    start = read.read(12)
    if not start:
        return None
    rank, length, kind = struct.unpack("<3i", start)
    dimensions = _integers(read, rank)
    name = read.read(length)
    return _Tensor(name, kind, dimensions, read.read(math.prod(dimensions) * _TYPE_BYTES[kind]))


def _quantized(tensor: _Tensor, block: BlockType, quantize: Quantizer) -> _Tensor:
    if len(tensor.dimensions) != _MATRIX or tensor.name.decode() in _KEPT:
        return tensor
    stored = np.frombuffer(tensor.data, np.float16 if tensor.kind == F16 else np.float32)
    rows = np.ascontiguousarray(stored.reshape(-1, tensor.dimensions[0]), np.float32)
    return _Tensor(tensor.name, block.tensor_type, tensor.dimensions, quantize(rows, block))


def _library() -> Quantizer:
    """`ggml_quantize_chunk` of the library that lies beside pywhispercpp."""
    wheel = importlib.util.find_spec("pywhispercpp")
    if wheel is None or wheel.origin is None:
        raise ConversionFailed("quantising GGML needs the pywhispercpp package in this image: install it")
    chunk = ctypes.CDLL(str(Path(wheel.origin).parent.parent / "libggml-base.so")).ggml_quantize_chunk
    chunk.restype = ctypes.c_size_t
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    chunk.argtypes = [ctypes.c_int, pointer, pointer, number, number, number, pointer]

    def quantize(rows: NDArray[np.float32], block: BlockType) -> bytes:
        packed = np.empty(rows.size // block.block * block.block_bytes, np.uint8)
        written = chunk(block.tensor_type, rows.ctypes.data, packed.ctypes.data, 0, *rows.shape, None)
        if written != packed.size:
            raise ConversionFailed(f"libggml wrote {written} bytes where {packed.size} were expected: other version?")
        return packed.tobytes()

    return quantize


def _integers(read: BinaryIO, count: int) -> tuple[int, ...]:
    return struct.unpack(f"<{count}i", read.read(4 * count))


def _put(write: BinaryIO, *values: int) -> None:
    write.write(struct.pack(f"<{len(values)}i", *values))
