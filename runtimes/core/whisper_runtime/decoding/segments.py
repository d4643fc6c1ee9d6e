"""Cuts a window's tokens into segments at their timestamps, and says where the next window begins. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cut:
    """Tokens of one segment, times included, with start and end in timestamp steps (20 ms) of the window."""

    start: int
    end: int
    tokens: tuple[int, ...]
    first: int
    """Which of the window's tokens is the first of these."""


def cut(tokens: Sequence[int], first_timestamp: int, steps: int) -> tuple[list[Cut], int]:
    """The segments of a window of `steps`, and how many steps to go on by.

    Two times in a row end one segment and begin the next. A last time that stands alone means that nothing was said
    after it; without it the model was in the middle of a segment, and what follows the last seam is heard again.
    """
    is_time = [token >= first_timestamp for token in tokens]
    seams = [i for i in range(1, len(tokens)) if is_time[i - 1] and is_time[i]]
    finished = is_time[-2:] == [False, True]
    if not seams:
        times = [token - first_timestamp for token in tokens if token >= first_timestamp]
        end = times[-1] if times and times[-1] else steps
        return [Cut(0 if len(times) < 2 else times[0], min(end, steps), tuple(tokens), 0)], steps  # noqa: PLR2004 - a pair
    ends = [*seams, len(tokens)] if finished else seams
    cuts = [
        Cut(tokens[a] - first_timestamp, tokens[b - 1] - first_timestamp, tuple(tokens[a:b]), a)
        for a, b in zip([0, *ends], ends, strict=False)
    ]
    went_to = tokens[ends[-1] - 1] - first_timestamp
    return cuts, steps if finished or not went_to else min(went_to, steps)
