"""Reads back what a GGML Whisper says of itself: header, filters, vocabulary, and where each tensor lies.

Nothing is trusted: every count and length is held against what is left of the file before anything is done for it, and
the tensors' numbers are skipped.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from whisper_models.convert.ggml.types import HEADER, MAGIC, TENSOR_TYPES, TensorType
from whisper_models.errors import ConversionFailed

RANKS = range(1, 5)
LONGEST_NAME = 64  # GGML_MAX_NAME
INTEGER = 4


@dataclass(frozen=True, slots=True)
class Stored:
    """One tensor as the file has it."""

    shape: tuple[int, ...]  # outermost first
    kind: TensorType
    offset: int

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.kind.size(math.prod(self.shape))


@dataclass(slots=True)
class Contents:
    """What a file holds."""

    header: tuple[int, ...]
    filters: bytes
    tokens: int
    tensors: dict[str, Stored] = field(default_factory=dict)


def contents(path: Path) -> Contents:
    """What the file holds, its tensors in order.

    Raises:
        ConversionFailed: it is not a GGML Whisper, or not a whole one.
    """
    with path.open("rb") as file:
        return _Reader(file, path).contents()


class _Reader:
    """Walks through the file; nothing is read or skipped beyond its end."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._path = path
        self._left = path.stat().st_size

    def contents(self) -> Contents:
        header = self._integers(HEADER)
        if header[0] != MAGIC:
            raise self._wrong("it does not begin like one")
        bins, width = self._counts(2)
        filters = self._bytes(bins * width * 4)
        (tokens,) = self._counts(1)
        if tokens * INTEGER > self._left:
            raise self._wrong(f"{tokens} tokens do not fit into it")
        for _ in range(tokens):
            self._skip(self._counts(1)[0])
        found = Contents(header, filters, tokens)
        while self._left:
            self._tensor(found)
        return found

    def _tensor(self, found: Contents) -> None:
        rank, length, number = self._integers(3)
        if rank not in RANKS or not 0 < length <= LONGEST_NAME or number not in TENSOR_TYPES:
            raise self._wrong(f"a tensor of {rank} dimensions, type {number} and a name of {length} bytes")
        shape = tuple(reversed(self._counts(rank)))
        name = self._bytes(length).decode(errors="backslashreplace")
        kind = TENSOR_TYPES[number]
        if name in found.tensors or shape[-1] % kind.block:
            raise self._wrong(f"{name} is there twice, or its rows of {shape[-1]} are not whole blocks")
        stored = Stored(shape, kind, self._file.tell())
        self._skip(stored.size)
        found.tensors[name] = stored

    def _counts(self, count: int) -> tuple[int, ...]:
        """Numbers that cannot be negative."""
        found = self._integers(count)
        if min(found) < 0:
            raise self._wrong(f"{min(found)} where a size belongs")
        return found

    def _integers(self, count: int) -> tuple[int, ...]:
        return struct.unpack(f"<{count}i", self._bytes(count * INTEGER))

    def _bytes(self, count: int) -> bytes:
        self._take(count)
        return self._file.read(count)

    def _skip(self, count: int) -> None:
        self._take(count)
        self._file.seek(count, 1)

    def _take(self, count: int) -> None:
        if count > self._left:
            raise self._wrong(f"it ends {count - self._left} bytes too early")
        self._left -= count

    def _wrong(self, what: str) -> ConversionFailed:
        return ConversionFailed(f"{self._path} is not a sound GGML file ({what}): convert it again")
