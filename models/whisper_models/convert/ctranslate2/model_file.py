"""Reads the table of contents of a CTranslate2 `model.bin`: which variables it holds, in which numbers and shapes."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

VERSION = 6
TYPES = (("float32", 4), ("int8", 1), ("int16", 2), ("int32", 4), ("float16", 2), ("bfloat16", 2))
"""The library's numbers for types: place in this list → name and bytes."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One variable: its shape and the name of its type."""

    shape: tuple[int, ...]
    dtype: str


@dataclass(slots=True)
class Contents:
    """What a file says that it holds, and does."""

    variables: dict[str, Stored] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)


def contents(path: Path) -> Contents:
    """The table of contents; the numbers themselves are skipped.

    Raises:
        ValueError: it is not such a file, or not a whole one.
    """
    size = path.stat().st_size
    found = Contents()
    with path.open("rb") as file:
        read = _Reader(file, size)
        if (version := read.number("I")) != VERSION:
            raise ValueError(f"it is of version {version}, not {VERSION}")
        read.text(), read.number("I")  # the specification's name and revision
        for _ in range(read.number("I")):
            name = read.text()
            found.variables[name] = read.variable()
        found.aliases.update((read.text(), read.text()) for _ in range(read.number("I")))
        if file.tell() != size:
            raise ValueError(f"{size - file.tell()} bytes follow its end")
    return found


class _Reader:
    """Walks through the file; nothing is read or skipped beyond its end."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size

    def number(self, code: str) -> int:
        value: int = struct.unpack(f"<{code}", self._bytes(struct.calcsize(f"<{code}")))[0]
        return value

    def text(self) -> str:
        return self._bytes(self.number("H"))[:-1].decode()  # it ends with a zero

    def variable(self) -> Stored:
        shape = tuple(self.number("I") for _ in range(self.number("B")))
        kind = self.number("B")
        if kind >= len(TYPES):
            raise ValueError(f"there is no type {kind}")
        dtype, width = TYPES[kind]
        length, count = self.number("I"), width
        for rows in shape:
            count *= rows
        if length != count:
            raise ValueError(f"{length} bytes are not {shape} of {dtype}")
        self._skip(length)
        return Stored(shape, dtype)

    def _bytes(self, count: int) -> bytes:
        found = self._file.read(count)
        if len(found) < count:
            raise ValueError("it ends too early")
        return found

    def _skip(self, count: int) -> None:
        if self._file.tell() + count > self._size:
            raise ValueError("it ends too early")
        self._file.seek(count, 1)
