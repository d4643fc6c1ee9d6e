"""Packs spans of speech into windows of at most 30 s, and maps times in a window back to the file. Pure.

A window is what the engine hears at once: spans put end to end, the silence between them left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from whisper_runtime.engine import SAMPLE_RATE, Waveform
from whisper_runtime.speech.silero import CHUNK
from whisper_runtime.speech.spans import Probabilities, Span

MAX_SAMPLES = 30 * SAMPLE_RATE
_SEARCH = 10 * SAMPLE_RATE
"""How far before its limit a span that is too long may be cut, to cut it where it is most silent."""


@dataclass(frozen=True, slots=True)
class Window:
    """Spans that are transcribed together."""

    spans: tuple[Span, ...]

    @property
    def length(self) -> int:
        """In samples, the silence between spans not counted."""
        return sum(span.length for span in self.spans)

    def cut(self, audio: Waveform) -> Waveform:
        """What the engine hears."""
        if len(self.spans) == 1:
            return audio[self.spans[0].start : self.spans[0].end]
        return np.concatenate([audio[span.start : span.end] for span in self.spans])

    def holds(self, spans: Sequence[Span]) -> bool:
        """Whether a part of one of these is in it."""
        return any(mine.meets(spans) for mine in self.spans)

    def start_at(self, seconds: float) -> float:
        """Where something that starts at `seconds` of the window starts in the file."""
        return self._at(seconds, ends=False)

    def end_at(self, seconds: float) -> float:
        """Where something that ends at `seconds` of the window ends in the file: at a seam, before the silence."""
        return self._at(seconds, ends=True)

    def _at(self, seconds: float, *, ends: bool) -> float:
        left = max(0.0, seconds * SAMPLE_RATE)
        for span in self.spans[:-1]:
            if left < span.length or (ends and left == span.length):
                return (span.start + left) / SAMPLE_RATE
            left -= span.length
        last = self.spans[-1]
        return min(last.start + left, last.end) / SAMPLE_RATE


def pack(spans: Iterable[Span], probabilities: Probabilities) -> tuple[Window, ...]:
    """Windows in order, each as full as it gets."""
    windows: list[Window] = []
    for span in spans:
        for piece in _split(span, probabilities):
            if windows and windows[-1].length + piece.length <= MAX_SAMPLES:
                windows[-1] = Window((*windows[-1].spans, piece))
            else:
                windows.append(Window((piece,)))
    return tuple(windows)


def _split(span: Span, probabilities: Probabilities) -> Iterator[Span]:
    """A span in pieces of at most 30 s, cut where speech is least likely."""
    while span.length > MAX_SAMPLES:
        limit = span.start + MAX_SAMPLES
        first, last = (limit - _SEARCH) // CHUNK + 1, limit // CHUNK
        at = (first + int(np.argmin(probabilities[first:last]))) * CHUNK
        yield Span(span.start, at)
        span = Span(at, span.end)
    yield span
