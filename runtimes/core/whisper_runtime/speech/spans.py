"""From the probability of speech in each chunk to the spans worth transcribing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from whisper_runtime.engine import SAMPLE_RATE
from whisper_runtime.speech.silero import CHUNK

Probabilities = npt.NDArray[np.float32]
"""Of speech, one for each chunk."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Samples `start` up to `end` of the original audio."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """In samples."""
        return self.end - self.start

    def meets(self, others: Iterable[Span]) -> bool:
        """Whether a part of one of these is in it."""
        return any(self.start < other.end and other.start < self.end for other in others)


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """When speech begins and ends. Whisper wants to hear pauses, so only silences of two seconds are cut out."""

    onset: float = 0.5
    offset: float = 0.35
    min_voice_seconds: float = 0.15
    """Music is taken for a voice for moments; the shortest words last twice as long as this."""
    min_silence_seconds: float = 2.0
    before_seconds: float = 0.4
    """What is heard of the silence before speech, and of that after it."""
    after_seconds: float = 0.4


DEFAULT = Sensitivity()


def voices(probabilities: Probabilities, how: Sensitivity = DEFAULT) -> tuple[Span, ...]:
    """Where somebody speaks without a pause, for long enough to be a voice."""
    return tuple(sound for sound in _sounds(probabilities, how) if _is_voice(sound, how))


def _is_voice(sound: Span, how: Sensitivity) -> bool:
    return sound.length >= how.min_voice_seconds * SAMPLE_RATE


def speech_spans(probabilities: Probabilities, samples: int, how: Sensitivity = DEFAULT) -> tuple[Span, ...]:
    """The spans of speech in audio of `samples`, padded on both sides, in order and without overlap."""
    patience = how.min_silence_seconds * SAMPLE_RATE
    runs: list[Span] = []
    spoken: set[int] = set()  # the starts of runs with a voice in them
    for sound in _sounds(probabilities, how):
        if runs and sound.start - runs[-1].end < patience:
            runs[-1] = Span(runs[-1].start, sound.end)
        else:
            runs.append(sound)
        if _is_voice(sound, how):
            spoken.add(runs[-1].start)
    return _padded([run for run in runs if run.start in spoken], samples, how)


def _sounds(probabilities: Probabilities, how: Sensitivity) -> Iterator[Span]:
    """What may be a voice: from the onset until it is below the offset, in order."""
    begun: int | None = None
    for i, p in enumerate((*probabilities.tolist(), 0.0)):
        if begun is None and p >= how.onset:
            begun = i
        elif begun is not None and p < how.offset:
            yield Span(begun * CHUNK, i * CHUNK)
            begun = None


def _padded(spans: list[Span], samples: int, how: Sensitivity) -> tuple[Span, ...]:
    """Each span widened on both sides, but never past the middle of the silence to its neighbour."""
    more_before, more_after = int(how.before_seconds * SAMPLE_RATE), int(how.after_seconds * SAMPLE_RATE)
    out: list[Span] = []
    for i, span in enumerate(spans):
        before = (spans[i - 1].end + span.start) // 2 if i else 0
        after = (span.end + spans[i + 1].start) // 2 if i + 1 < len(spans) else samples
        out.append(Span(max(before, span.start - more_before), min(after, span.end + more_after)))
    return tuple(out)
