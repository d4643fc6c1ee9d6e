"""Where decoded audio is kept: minutes of it in memory, hours in a file without a name.

An hour takes 220 MiB. What is mapped from a file the kernel may drop and read again, so hours cost disk, not memory.
"""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Callable
from typing import BinaryIO

import numpy as np

from whisper_runtime.engine import Waveform

IN_MEMORY = 16 << 20
"""Bytes that stay in memory: more than four minutes."""

Keep = Callable[[int], None]
"""Told of bytes before they go to disk; raises where there is no room for them."""


def anywhere(_: int) -> None:
    """A Keep without a bound."""


class Samples:
    """Takes blocks of a waveform; `array` gives them all, for as long as somebody holds it."""

    def __init__(self, keep: Keep = anywhere, in_memory: int = IN_MEMORY) -> None:
        self._keep, self._most = keep, in_memory
        self._memory = bytearray()  # grows where it is; a list of blocks would be in memory twice once it is joined
        self._file: BinaryIO | None = None

    def add(self, block: Waveform) -> None:
        """Take one more block.

        Raises:
            QueueFull: there is no room on disk.
        """
        self._memory += np.ascontiguousarray(block, np.float32).data.cast("B")
        if len(self._memory) > self._most:
            self._to_disk()

    def _to_disk(self) -> None:
        self._keep(len(self._memory))
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - lives as long as what is mapped from it
        left = memoryview(self._memory)
        while left:
            left = left[self._file.write(left) :]
        left.release()
        self._memory = bytearray()

    def array(self) -> Waveform:
        """All of it, read-only where it is on disk; takes no more."""
        if self._file is None:
            return np.frombuffer(self._memory, np.float32)
        with self._file as file:
            if self._memory:
                self._to_disk()
            return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.float32)

    def close(self) -> None:
        """Give back what is on disk, unless an array was taken, which keeps it."""
        if self._file is not None:
            self._file.close()
