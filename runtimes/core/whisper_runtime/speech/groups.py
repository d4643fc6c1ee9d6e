"""Which windows of a file are heard together. Pure: by the file alone, so the same file always has the same words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from whisper_runtime.engine import SAMPLE_RATE
from whisper_runtime.speech.windows import Window

_LEAST = 20 * SAMPLE_RATE
"""Windows heard together are heard in Whisper's 30 s; a shorter one gains more from a context of its own length."""


def groups(windows: Sequence[Window], most: int, *, first_alone: bool) -> Iterator[tuple[Window, ...]]:
    """The windows in order, each alone or with up to `most` neighbours."""
    group: tuple[Window, ...] = ()
    for i, window in enumerate(windows):
        fits = window.length >= _LEAST and len(group) < most and not (first_alone and i == 1)
        if group and not (fits and group[-1].length >= _LEAST):
            yield group
            group = ()
        group += (window,)
    if group:
        yield group
