"""Contenders in turns, and what their times say. Pure but for the clock that is passed in.

A load from elsewhere hits all contenders of a round alike, so a ratio is taken within each round, and the median over
the rounds is what is quoted. The order turns with each round, so that nobody always follows the same neighbour.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

Take = TypeVar("Take")
"""What one call of a contender gives."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some values, and the quartiles around it."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """At least one value."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high)

    def show(self, digits: int) -> str:
        """`1.23 [1.20, 1.31]`."""
        return f"{self.median:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that so large a share does not exceed (nearest rank), 0 < share <= 1; NaN of nothing."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[max(0, -(-round(share * 1000) * len(ordered) // 1000) - 1)]


def ratios(above: Sequence[float], below: Sequence[float]) -> Spread:
    """How many times `above` each round was to `below`, of the same rounds."""
    return Spread.of([a / b for a, b in zip(above, below, strict=True)])


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop: after so many rounds, or when the time is up, but not before the least number of rounds."""

    rounds: int
    seconds: float
    least: int = 3


def in_turns(
    contenders: Mapping[str, Callable[[], Take]], limits: Limits, clock: Callable[[], float]
) -> dict[str, list[Take]]:
    """Call every contender once a round, and collect what each gave."""
    names = list(contenders)
    takes: dict[str, list[Take]] = {name: [] for name in names}
    begun = clock()
    for number in range(limits.rounds):
        if number >= limits.least and clock() - begun > limits.seconds:
            break
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            takes[name].append(contenders[name]())
    return takes
