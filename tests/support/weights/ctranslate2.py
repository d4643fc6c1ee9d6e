"""Reads a CTranslate2 `model.bin` (binary version 6 and older) without CTranslate2: names, shapes, arrays."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

Tensors = dict[str, npt.NDArray[Any]]

NEWEST = 6
DTYPES = (np.float32, np.int8, np.int16, np.int32, np.float16)  # by the type id in the file


class _Cursor:
    """Walks through the bytes; strings are length-prefixed and end with a zero."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.at = 0

    def number(self, code: str) -> int:
        value: int = struct.unpack_from("<" + code, self.content, self.at)[0]
        self.at += struct.calcsize("<" + code)
        return value

    def text(self) -> str:
        length = self.number("H")
        self.at += length
        return self.content[self.at - length : self.at - 1].decode()

    def array(self) -> npt.NDArray[Any]:
        shape = [self.number("I") for _ in range(self.number("B"))]
        dtype = np.dtype(DTYPES[self.number("B")])
        size = self.number("I")
        array = np.frombuffer(self.content, dtype, size // dtype.itemsize, self.at)
        self.at += size
        return array.reshape(shape)


def read(content: bytes) -> Tensors:
    """Every variable by name, as views into `content`; aliases are left out, since they repeat what is there."""
    cursor = _Cursor(content)
    version = cursor.number("I")
    if version > NEWEST:
        raise ValueError(f"model.bin is of version {version}; up to {NEWEST} is understood")
    cursor.text()  # the specification's name
    cursor.number("I")  # and revision
    tensors = {cursor.text(): cursor.array() for _ in range(cursor.number("I"))}
    for _ in range(cursor.number("I")):
        cursor.text(), cursor.text()
    if cursor.at != len(content):
        raise ValueError(f"model.bin has {len(content) - cursor.at} bytes too many: it is not what it says it is")
    return tensors
