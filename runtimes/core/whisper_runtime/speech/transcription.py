"""One file from waveform to transcript: find speech, have the engine hear it window by window, restore the times.

Runs in inference threads. Windows do not know of each other, so one that goes wrong cannot spoil the next.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from whisper_runtime.engine import SAMPLE_RATE, Engine, Options, Stop, Transcript, Waveform, never
from whisper_runtime.results import DeviceUse, Segment, Word
from whisper_runtime.speech.silero import probabilities_by_parts, speech_probabilities
from whisper_runtime.speech.spans import Span, speech_spans
from whisper_runtime.speech.windows import MAX_SAMPLES, Window, pack


@dataclass(frozen=True, slots=True)
class Heard:
    """A transcript with times of the file, and what it took."""

    transcript: Transcript
    vad_seconds: float | None
    """None where no voice was looked for."""
    inference_seconds: float


@dataclass(frozen=True, slots=True)
class Left:
    """A step of a file is done, and so many seconds of its audio are left to hear."""

    seconds: float


Probabilities = npt.NDArray[np.float32]
T = TypeVar("T")
_PARTS = 8
"""Half minutes in which a voice is looked for at one go, which takes about as long as to hear one window."""

OnSegments = Callable[[tuple[Segment, ...]], None]
"""Told of segments, in order, as soon as they are final; their ids are given only once all are there."""


def nobody(_: tuple[Segment, ...]) -> None:
    """An OnSegments for work of which only the end counts."""


def transcribe(
    engine: Engine,
    audio: Waveform,
    options: Options,
    stop: Stop,
    *,
    vad: bool = True,
    on_segments: OnSegments = nobody,
) -> Heard:
    """The transcript of a whole file, at one go."""
    made = steps(engine, audio, options, stop, vad=vad, on_segments=on_segments)
    return next(one for one in made if isinstance(one, Heard))


def steps(
    engine: Engine,
    audio: Waveform,
    options: Options,
    stop: Stop,
    *,
    vad: bool = True,
    on_segments: OnSegments = nobody,
) -> Iterator[Left | Heard]:
    """What is left after each step, in which at most one window is heard; with the last one, the transcript.

    Between two steps nothing of the file is in the engine, so it may hear another. Without speech, no segments.
    """
    looking, probabilities = _Timed(probabilities_by_parts(audio, stop)), [np.zeros(0, np.float32)]
    if looked := vad or len(audio) > MAX_SAMPLES:
        for part in looking:
            probabilities.append(part)
            if not (len(probabilities) - 1) % _PARTS:
                yield Left(seconds_of(audio))
    windows = _windows(audio, np.concatenate(probabilities), vad=vad)
    hearing, parts = _Timed(_hear(engine, audio, windows, replace(options, voiced=vad), stop)), list[Transcript]()
    for heard in hearing:
        parts.append(heard)
        on_segments(heard.segments)
        if len(parts) < len(windows):
            yield Left(seconds_of(audio[windows[len(parts)].spans[0].start :]))
    yield Heard(_joined(parts, options), looking.seconds if looked else None, hearing.seconds)


def find_windows(audio: Waveform, stop: Stop = never) -> tuple[Window, ...]:
    """What of the audio is speech, in windows of at most 30 s."""
    return _windows(audio, speech_probabilities(audio, stop), vad=True)


def _windows(audio: Waveform, probabilities: Probabilities, *, vad: bool) -> tuple[Window, ...]:
    """Without voice detection all of the audio, cut where speech is least likely."""
    spans = speech_spans(probabilities, len(audio)) if vad else (Span(0, len(audio)),)
    return pack(spans, probabilities)


class _Timed(Generic[T]):
    """An iterator that knows how long it worked, whatever is done between its parts."""

    def __init__(self, parts: Iterator[T]) -> None:
        self._parts = parts
        self.seconds = 0.0

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        begun = time.perf_counter()
        try:
            return next(self._parts)
        finally:
            self.seconds += time.perf_counter() - begun


def _hear(
    engine: Engine, audio: Waveform, windows: tuple[Window, ...], options: Options, stop: Stop
) -> Iterator[Transcript]:
    """A transcript for each window; the language found in the first holds for the others."""
    for window in windows:
        stop()
        heard = engine.transcribe(window.cut(audio), options, stop)
        options = replace(options, language=options.language or heard.language)
        yield replace(heard, segments=tuple(_moved(segment, window) for segment in heard.segments))


def _moved(segment: Segment, window: Window) -> Segment:
    start, end = window.start_at(segment.start), window.end_at(segment.end)
    words = None if segment.words is None else tuple(_moved_word(word, window) for word in segment.words)
    seek = round(window.start_at(segment.seek / 100) * 100)
    return segment.model_copy(update={"start": _ms(start), "end": _ms(max(start, end)), "words": words, "seek": seek})


def _moved_word(word: Word, window: Window) -> Word:
    start, end = window.start_at(word.start), window.end_at(word.end)
    return word.model_copy(update={"start": _ms(start), "end": _ms(max(start, end))})


def _ms(seconds: float) -> float:
    return round(seconds, 3)


def _joined(parts: list[Transcript], options: Options) -> Transcript:
    segments = [segment for part in parts for segment in part.segments]
    aligned = [part.align_seconds for part in parts if part.align_seconds is not None]
    return Transcript(
        segments=tuple(segment.model_copy(update={"id": i}) for i, segment in enumerate(segments)),
        language=parts[0].language if parts else options.language,
        language_probability=parts[0].language_probability if parts else None,
        align_seconds=sum(aligned) if aligned else None,
        suppressed=tuple(rule for part in parts for rule in part.suppressed),
        device=_device(parts),
        degraded=tuple(dict.fromkeys(name for part in parts for name in part.degraded)),
    )


def _device(parts: list[Transcript]) -> DeviceUse | None:
    """The one that fell short of what was wanted, if one did: that is what its caller must know."""
    known = [part.device for part in parts if part.device is not None]
    return next((device for device in known if device.fallback_reason), known[-1] if known else None)


def seconds_of(audio: Waveform) -> float:
    """How long a waveform lasts."""
    return len(audio) / SAMPLE_RATE
