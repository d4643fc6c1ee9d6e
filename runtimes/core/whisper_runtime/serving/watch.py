"""Tells work that stands still from work that is slow: by counters that must grow. Pure.

Time counts only while somebody looks. A process that was stopped, or a machine that slept, has made no progress either,
and nothing is wrong with its threads.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Generic, TypeVar

K = TypeVar("K")


class Watch(Generic[K]):
    """Remembers for how long each counter has stood still."""

    def __init__(self, limit: float = math.inf) -> None:
        self.limit = limit
        """Seconds without progress after which work counts as hung."""
        self.slowest = 0.0
        """The longest silence seen."""
        self._seen: dict[K, tuple[int, float]] = {}

    def look(self, counters: Mapping[K, int], elapsed: float) -> list[K]:
        """Those that have stood still for longer than the limit. `elapsed` seconds have passed since the last look."""
        self._seen = {who: (count, self._silence(who, count, elapsed)) for who, count in counters.items()}
        self.slowest = max([self.slowest, *(silent for _, silent in self._seen.values())])
        return [who for who, (_, silent) in self._seen.items() if silent > self.limit]

    def _silence(self, who: K, count: int, elapsed: float) -> float:
        before, silent = self._seen.get(who, (None, 0.0))
        return silent + elapsed if before == count else 0.0
