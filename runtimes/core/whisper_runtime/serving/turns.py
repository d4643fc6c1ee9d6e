"""Whose turn it is, when many files are heard window by window: the shorter before the longer, with ageing. Pure.

Time is counted in seconds of audio that had their turn, so the order does not depend on how fast the machine is. While
a file waits, one with more left to hear goes ahead of it at most once: after a turn it is the youngest again. And none
waits for ever: all that come once `left / AGEING` seconds of audio went ahead come behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K")
AGEING = 4.0
"""How many seconds of what it has left a file is forgiven for each second of audio that goes ahead of it."""


class Turns(Generic[K]):
    """Those that wait for a turn, which takes at most `longest` seconds of audio."""

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._heard = 0.0
        self._waiting: dict[K, tuple[float, float]] = {}

    def put(self, who: K, left: float) -> None:
        """Wait from now on, with so many seconds of audio left to hear."""
        self._waiting[who] = (left + AGEING * self._heard, left)

    def take(self, may: Callable[[K], bool] = lambda _: True) -> K | None:
        """Who is due of those that may, of equals the one that waits for longest; None if nobody waits.

        If none of those that wait may, it is the one who is due all the same.
        """
        if not self._waiting:
            return None
        due = min(self._waiting, key=lambda who: (not may(who), self._waiting[who][0]))
        _, left = self._waiting.pop(due)
        self._heard += min(left, self._longest)
        return due

    def drop(self, who: K) -> bool:
        """Wait no more; whether it did."""
        return self._waiting.pop(who, None) is not None

    def __iter__(self) -> Iterator[K]:
        """All that wait."""
        return iter(tuple(self._waiting))
