"""How far a download or a conversion is: written by the one that works, read over HTTP or on a terminal."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

WINDOW = 10.0
"""Seconds over which the speed is measured."""


class Stage(StrEnum):
    """What is being done now."""

    RESOLVING = "Resolving"
    DOWNLOADING = "Downloading"
    VERIFYING = "Verifying"
    CONVERTING = "Converting"
    OPTIMIZING = "Optimizing"  # converting into fewer bits than the checkpoint has: layout and rounding are one step
    VALIDATING = "Validating"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One look at the progress; what is not known is None."""

    stage: Stage
    bytes_done: int
    bytes_total: int | None
    speed: float | None  # bytes a second
    eta: float | None  # seconds
    file: str | None

    def as_json(self) -> dict[str, Any]:
        """As `GET /progress` answers."""
        return asdict(self)


class Progress:
    """Counts; safe to read from another thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._stage = Stage.RESOLVING
        self._total: int | None = None
        self._file: str | None = None
        self._done = 0
        self._samples: deque[tuple[float, int]] = deque()

    def begin(self, stage: Stage, total: int | None = None, done: int = 0) -> None:
        """A new stage; `done` is what an earlier attempt left, which does not count as speed."""
        with self._lock:
            self._stage, self._total, self._done, self._file = stage, total, done, None
            self._samples.clear()
            self._samples.append((self._clock(), done))

    def file(self, name: str) -> None:
        """The file that is being worked on."""
        with self._lock:
            self._file = name

    def advance(self, count: int) -> None:
        """So many bytes more; fewer than none when something must be fetched again."""
        with self._lock:
            now = self._clock()
            self._done += count
            self._samples.append((now, self._done))
            while self._samples[0][0] < now - WINDOW:
                self._samples.popleft()

    def snapshot(self) -> Snapshot:
        """How far it is now."""
        with self._lock:
            speed = self._speed()
            left = None if self._total is None else max(self._total - self._done, 0)
            eta = None if left is None or not speed else left / speed
            return Snapshot(self._stage, self._done, self._total, speed, eta, self._file)

    def _speed(self) -> float | None:
        if not self._samples:
            return None
        since, before = self._samples[0]
        elapsed = self._clock() - since
        return max(self._done - before, 0) / elapsed if elapsed > 0 and self._done > before else None
