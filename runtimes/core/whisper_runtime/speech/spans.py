"""From the probability of speech in each chunk to the spans worth transcribing. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from whisper_runtime.engine import SAMPLE_RATE
from whisper_runtime.speech.silero import CHUNK


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Samples `start` up to `end` of the original audio."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """In samples."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """When speech begins and ends. Whisper wants to hear pauses, so only silences of two seconds are cut out."""

    onset: float = 0.5
    offset: float = 0.35
    min_silence_seconds: float = 2.0
    padding_seconds: float = 0.4


DEFAULT = Sensitivity()


def speech_spans(probabilities: npt.NDArray[np.float32], samples: int, how: Sensitivity = DEFAULT) -> tuple[Span, ...]:
    """The spans of speech in audio of `samples`, padded on both sides, in order and without overlap."""
    patience = round(how.min_silence_seconds * SAMPLE_RATE / CHUNK)
    runs: list[list[int]] = []
    silent_for = patience  # since when no speech was heard, in chunks
    for i, p in enumerate(probabilities.tolist()):
        if p >= how.onset:
            if silent_for >= patience:
                runs.append([i, i])
            silent_for = 0
        elif p < how.offset or silent_for:
            silent_for += 1
        if runs and not silent_for:
            runs[-1][1] = i + 1
    return _padded([Span(a * CHUNK, b * CHUNK) for a, b in runs], samples, int(how.padding_seconds * SAMPLE_RATE))


def _padded(spans: list[Span], samples: int, padding: int) -> tuple[Span, ...]:
    """Each span widened by `padding`, but never past the middle of the silence to its neighbour."""
    out: list[Span] = []
    for i, span in enumerate(spans):
        before = (spans[i - 1].end + span.start) // 2 if i else 0
        after = (span.end + spans[i + 1].start) // 2 if i + 1 < len(spans) else samples
        out.append(Span(max(before, span.start - padding), min(after, span.end + padding)))
    return tuple(out)
