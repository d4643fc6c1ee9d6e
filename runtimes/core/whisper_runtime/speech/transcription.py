"""One file from waveform to transcript: find speech, have the engine hear it window by window, restore the times.

Runs in an inference thread. Windows do not know of each other, so one that goes wrong cannot spoil the next.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from whisper_runtime.engine import SAMPLE_RATE, Engine, Options, Stop, Transcript, Waveform, never
from whisper_runtime.results import DeviceUse, Segment, Word
from whisper_runtime.speech.silero import speech_probabilities
from whisper_runtime.speech.spans import Span, speech_spans
from whisper_runtime.speech.windows import Window, pack


@dataclass(frozen=True, slots=True)
class Heard:
    """A transcript with times of the file, and what it took."""

    transcript: Transcript
    vad_seconds: float | None
    inference_seconds: float


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
    """The transcript of a whole file; without speech in it, one without segments."""
    begun = time.perf_counter()
    windows = find_windows(audio, stop) if vad else (Window((Span(0, len(audio)),)),)
    found = time.perf_counter()
    parts = []
    for part in _hear(engine, audio, windows, replace(options, voiced=vad), stop):
        parts.append(part)
        on_segments(part.segments)
    took = time.perf_counter() - found
    return Heard(_joined(parts, options), found - begun if vad else None, took)


def find_windows(audio: Waveform, stop: Stop = never) -> tuple[Window, ...]:
    """What of the audio is speech, in windows of at most 30 s."""
    probabilities = speech_probabilities(audio, stop)
    return pack(speech_spans(probabilities, len(audio)), probabilities)


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
