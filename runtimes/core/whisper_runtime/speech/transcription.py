"""One file from waveform to transcript: find speech, have the engine hear it window by window, restore the times.

Runs in inference threads. Windows do not know of each other, so one that goes wrong cannot spoil the next.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import zip_longest
from typing import Generic, TypeVar

import numpy as np

from whisper_runtime.engine import SAMPLE_RATE, Engine, HearsTogether, Options, Stop, Transcript, Waveform, never
from whisper_runtime.results import DeviceUse, Segment, Word
from whisper_runtime.speech.groups import groups
from whisper_runtime.speech.silero import probabilities_by_parts, speech_probabilities
from whisper_runtime.speech.spans import DEFAULT, Probabilities, Sensitivity, Span, speech_spans, voices
from whisper_runtime.speech.windows import Window, pack


@dataclass(frozen=True, slots=True)
class Heard:
    """A transcript with times of the file, and what it took."""

    transcript: Transcript
    vad_seconds: float
    inference_seconds: float
    batches: tuple[int, ...] = ()
    """Of how many windows each was that were decoded at once."""


class Next(Enum):
    """What a file's next step is to the memory of what was heard, which several windows at once hold between steps."""

    ALONE = auto()
    """It holds nothing."""
    OPENS = auto()
    """It is the first of several windows that are heard together."""
    HOLDS = auto()
    """It goes on with them."""


@dataclass(frozen=True, slots=True)
class Left:
    """A step of a file is done, and so many seconds of its audio are left to hear."""

    seconds: float
    next: Next = Next.ALONE


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
    vad: Sensitivity | None = DEFAULT,
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
    vad: Sensitivity | None = DEFAULT,
    on_segments: OnSegments = nobody,
) -> Iterator[Left | Heard]:
    """What is left after each step; with the last one, the transcript.

    A step takes about as long as it takes to hear one window. Between two nothing of the file is in the engine, so it
    may hear another. Without `vad` silence is heard as well, but no window without a voice in it: of silence, noise and
    music Whisper makes words.
    """
    looking, probabilities = _Timed(probabilities_by_parts(audio, stop)), [np.zeros(0, np.float32)]
    for part in looking:
        probabilities.append(part)
        if not (len(probabilities) - 1) % _PARTS:
            yield Left(seconds_of(audio))
    found = np.concatenate(probabilities)
    spoken = voices(found, vad or DEFAULT)
    all_windows = _windows(audio, found, vad)
    windows = tuple(window for window in all_windows if window.holds(spoken))
    together = _together(engine, windows, options)
    hearing, parts = _Timed(_hear(engine, audio, together, options, stop)), list[Transcript]()
    for final, then in hearing:
        for heard in final:
            parts.append(heard)
            on_segments(heard.segments)
        if len(parts) < len(windows):
            yield Left(seconds_of(audio[windows[len(parts)].spans[0].start :]), then)
    without_a_voice = ("no_voice",) * (len(all_windows) - len(windows))
    batches = tuple(map(len, together))
    yield Heard(_joined(parts, options, without_a_voice), looking.seconds, hearing.seconds, batches)


def find_windows(audio: Waveform, stop: Stop = never) -> tuple[Window, ...]:
    """What of the audio is speech, in windows of at most 30 s."""
    return _windows(audio, speech_probabilities(audio, stop), DEFAULT)


def _windows(audio: Waveform, probabilities: Probabilities, vad: Sensitivity | None) -> tuple[Window, ...]:
    """Without voice detection all of the audio, cut where speech is least likely."""
    spans = speech_spans(probabilities, len(audio), vad) if vad else (Span(0, len(audio)),)
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


def _together(engine: Engine, windows: tuple[Window, ...], options: Options) -> tuple[tuple[Window, ...], ...]:
    """The windows, in groups that the engine hears at once."""
    most = engine.most_together if isinstance(engine, HearsTogether) else 1
    return tuple(groups(windows, most, first_alone=options.language is None))


def _hear(
    engine: Engine, audio: Waveform, found: tuple[tuple[Window, ...], ...], options: Options, stop: Stop
) -> Iterator[tuple[tuple[Transcript, ...], Next]]:
    """After each step the transcripts that are final; the language found in the first window holds for the others."""
    if found and _first_step(found[0]) is Next.OPENS:
        yield (), Next.OPENS
    for group, after in zip_longest(found, found[1:], fillvalue=()):
        stop()
        waiting = list(group)
        for final in _transcribe(engine, [window.cut(audio) for window in group], options, stop):
            options = replace(options, language=options.language or next((one.language for one in final), None))
            made = tuple(_in_the_file(heard, waiting.pop(0)) for heard in final)
            yield made, Next.HOLDS if waiting else _first_step(after)


def _first_step(group: tuple[Window, ...]) -> Next:
    return Next.OPENS if len(group) > 1 else Next.ALONE


def _transcribe(
    engine: Engine, audios: Sequence[Waveform], options: Options, stop: Stop
) -> Iterator[tuple[Transcript, ...]]:
    if len(audios) > 1 and isinstance(engine, HearsTogether):
        yield from engine.transcribe_together(audios, options, stop)
    else:
        for audio in audios:
            yield (engine.transcribe(audio, options, stop),)


def _in_the_file(heard: Transcript, window: Window) -> Transcript:
    return replace(heard, segments=tuple(_moved(segment, window) for segment in heard.segments))


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


def _joined(parts: list[Transcript], options: Options, suppressed: tuple[str, ...]) -> Transcript:
    segments = [segment for part in parts for segment in part.segments]
    aligned = [part.align_seconds for part in parts if part.align_seconds is not None]
    return Transcript(
        segments=tuple(segment.model_copy(update={"id": i}) for i, segment in enumerate(segments)),
        language=parts[0].language if parts else options.language,
        language_probability=parts[0].language_probability if parts else None,
        align_seconds=sum(aligned) if aligned else None,
        suppressed=(*suppressed, *(rule for part in parts for rule in part.suppressed)),
        heard_in_full=tuple(reason for part in parts for reason in part.heard_in_full),
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
