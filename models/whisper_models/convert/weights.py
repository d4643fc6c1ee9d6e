"""Reads a checkpoint's tensors one at a time, so that a conversion holds one of them in memory and not the model.

Nothing is trusted: a header that does not fit its file is refused before anything is allocated for it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from whisper_models.convert.small_files import INDEX as INDEX_BYTES
from whisper_models.convert.small_files import read_small, short
from whisper_models.errors import Incomplete, UnsupportedCheckpoint
from whisper_models.shards import INDEX, WEIGHTS, shards_named_by

Array = npt.NDArray[np.float32]
Half = npt.NDArray[np.float16]
Read = Callable[[], Array]

LENGTH_BYTES = 8
LONGEST_HEADER = 16 << 20  # a hundred times that of the largest Whisper
MOST_DIMENSIONS = 4
SIZES = {"F32": 4, "F16": 2, "BF16": 2}


@dataclass(frozen=True, slots=True)
class Stored:
    """Where one tensor lies and in which numbers."""

    name: str
    file: Path
    offset: int
    dtype: str
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)

    def read(self) -> Array:
        """The tensor in float32, whatever it is stored in; exact for all three."""
        raw = self._mapped()
        match self.dtype:
            case "F32":
                values = np.array(raw.view("<f4"), np.float32)
            case "F16":
                values = raw.view("<f2").astype(np.float32)
            case _:  # bfloat16 is the upper half of a float32
                values = (raw.view("<u2").astype(np.uint32) << 16).view(np.float32)
        return values.reshape(self.shape)

    def half(self) -> Half:
        """The tensor in float16: the file itself, mapped, where it is stored so.

        Raises:
            UnsupportedCheckpoint: float16 cannot hold a number.
        """
        if self.dtype == "F16":
            return self._mapped().view("<f2").reshape(self.shape)
        with np.errstate(over="ignore"):
            values = self.read().astype(np.float16)
        if not np.isfinite(values).all():
            raise UnsupportedCheckpoint(f"{self.name} in {self.file} has numbers that float16 cannot hold")
        return values

    def _mapped(self) -> npt.NDArray[np.uint8]:
        return np.memmap(self.file, np.uint8, "r", self.offset, (self.count * SIZES[self.dtype],))


class Weights(Mapping[str, Array]):
    """A checkpoint's tensors by name, in one file or in shards; each look-up reads from disk."""

    def __init__(self, folder: Path) -> None:
        """Raises UnsupportedCheckpoint or Incomplete when there is nothing here to read."""
        self._folder = folder
        self._stored: dict[str, Stored] = {}
        for file in _files(folder):
            self._stored.update(_header(file))

    def __getitem__(self, name: str) -> Array:
        return self._entry(name).read()

    def __contains__(self, name: object) -> bool:
        return name in self._stored  # Mapping's own would read the tensor

    def __iter__(self) -> Iterator[str]:
        return iter(self._stored)

    def __len__(self) -> int:
        return len(self._stored)

    def reader(self, name: str) -> Read:
        """Reads a tensor when it is wanted, if it is."""
        return self._entry(name).read

    def half(self, name: str) -> Half:
        """A tensor in float16, as `Stored.half` says; read, never written to."""
        return self._entry(name).half()

    def shape(self, name: str) -> tuple[int, ...]:
        """A tensor's shape, without reading it."""
        return self._entry(name).shape

    @property
    def parameters(self) -> int:
        """How many numbers the model has."""
        return sum(tensor.count for tensor in self._stored.values())

    def _entry(self, name: str) -> Stored:
        if name not in self._stored:
            raise UnsupportedCheckpoint(
                f"{self._folder} has no tensor {name}: it is not a Whisper checkpoint as published"
            )
        return self._stored[name]


def _files(folder: Path) -> list[Path]:
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if not (folder / INDEX).is_file():
        raise UnsupportedCheckpoint(f"{folder} has neither {WEIGHTS} nor {INDEX}: only safetensors are read")
    shards = [folder / name for name in sorted(shards_named_by(read_small(folder / INDEX, INDEX_BYTES)))]
    missing = [shard.name for shard in shards if not shard.is_file()]
    if missing:
        raise Incomplete(f"{folder} lacks {', '.join(missing[:3])}: download it again")
    return shards


def _header(file: Path) -> dict[str, Stored]:
    size = file.stat().st_size
    with file.open("rb") as content:
        length = int.from_bytes(content.read(LENGTH_BYTES), "little")
        if size < LENGTH_BYTES or length > min(size - LENGTH_BYTES, LONGEST_HEADER):
            raise UnsupportedCheckpoint(f"{file} is not a safetensors file: its header does not fit into it")
        raw = content.read(length)
    try:
        entries: dict[str, Any] = json.loads(raw)
        entries.pop("__metadata__", None)
        start = LENGTH_BYTES + length
        found = {name: _stored(name, file, entry, start, size) for name, entry in entries.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnsupportedCheckpoint(f"{file} is not a safetensors file that can be read here: {error}") from error
    if sum(tensor.count * SIZES[tensor.dtype] for tensor in found.values()) > size:
        raise UnsupportedCheckpoint(f"{file} is not a safetensors file: its tensors are larger than it is")
    return found


def _stored(name: str, file: Path, entry: Mapping[str, Any], start: int, size: int) -> Stored:
    """One entry of the header, if it is consistent."""
    begin, end = entry["data_offsets"]
    dtype, shape = entry["dtype"], entry["shape"]
    if dtype not in SIZES:
        raise ValueError(f"numbers of type {short(dtype)} are not understood, only {', '.join(SIZES)}")
    if not isinstance(shape, list) or len(shape) > MOST_DIMENSIONS:
        raise ValueError("a tensor has no shape, or one of too many dimensions")
    whole = all(type(number) is int for number in (begin, end, *shape))
    inside = whole and 0 <= begin <= end <= size - start and all(0 < number <= size for number in shape)
    if not inside or end - begin != math.prod(shape) * SIZES[dtype]:
        raise ValueError("a tensor lies outside the file or is not as large as its shape")
    return Stored(name, file, start + begin, dtype, tuple(shape))
