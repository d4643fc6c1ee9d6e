"""The quantiser of whisper.cpp's own library.

The arithmetic is not ours: `ggml_quantize_chunk` lies in the library that the pywhispercpp wheel brings, so the result
is byte for byte what whisper.cpp's tool makes.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whisper_models.convert.ggml.types import TensorType
from whisper_models.errors import ConversionFailed, LibraryMissing

WHEEL = "pywhispercpp"
LIBRARIES = ("libggml-base.so", "libggml-base.dylib")

Pack = Callable[[NDArray[np.float32]], NDArray[np.uint8]]


def quantiser(kind: TensorType) -> Pack:
    """Packs rows (rows, numbers) as `kind` says.

    Raises:
        LibraryMissing: the wheel is not installed, or brings no such library.
    """
    chunk = library().ggml_quantize_chunk
    chunk.restype = ctypes.c_size_t
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    chunk.argtypes = [ctypes.c_int, pointer, pointer, number, number, number, pointer]

    def pack(rows: NDArray[np.float32]) -> NDArray[np.uint8]:
        packed = np.empty(kind.size(rows.size), np.uint8)
        written = chunk(kind.number, rows.ctypes.data, packed.ctypes.data, 0, *rows.shape, None)
        if written != packed.size:
            raise ConversionFailed(f"libggml wrote {written} bytes where {packed.size} were expected: other version?")
        return packed

    return pack


@cache
def library() -> ctypes.CDLL:
    """The wheel's libggml, loaded once."""
    try:
        files = importlib.metadata.files(WHEEL) or ()
    except importlib.metadata.PackageNotFoundError as error:
        raise LibraryMissing(
            f"quantising GGML needs the Python package {WHEEL}, which is not installed here: "
            "pip install 'whisper-models[tools]'"
        ) from error
    for file in files:
        if file.name in LIBRARIES:
            return ctypes.CDLL(str(Path(str(file.locate()))))
    raise LibraryMissing(f"the installed {WHEEL} brings none of {', '.join(LIBRARIES)}: install it from its wheel")
