"""The walk over a waveform where OpenVINO GenAI decodes: 30 s at a time to it, and its text into segments.

The pipeline gives neither log-probabilities nor the chance that nobody speaks, so what is guarded is the text: what
goes in circles is tried again warmer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from whisper_runtime.decoding.guards import compression_ratio, loops, temperatures
from whisper_runtime.engine import SAMPLE_RATE, Options, Stop, Transcript, Waveform
from whisper_runtime.results import Segment, Timing, Word
from whisper_runtime.speech.silero import speech_probabilities
from whisper_runtime.speech.spans import voices

WINDOW = 30 * SAMPLE_RATE
_LEAST = SAMPLE_RATE // 10
"""A waveform shorter than this holds no word, and the pipeline refuses the shortest."""
_REST = SAMPLE_RATE
"""What is left after the last timestamp is heard again only if it is at least this long, and somebody speaks in it."""
_EDGE = 0.5
"""Seconds before the end of a window in which a text may be cut off, so that it is heard again with what follows."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Text with its seconds in the audio; `end` is None where the model did not say when it ends."""

    start: float
    end: float | None
    text: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What a generation gave. `words`, where asked for, are the same text once more, word by word."""

    chunks: tuple[Chunk, ...]
    words: tuple[Chunk, ...]
    language: str | None

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(chunk.text for chunk in self.chunks)


Hear = Callable[[Waveform, Options], Heard]
"""Of up to 30 s."""


def transcribe(hear: Hear, audio: Waveform, options: Options, stop: Stop) -> Transcript:
    """The segments of a whole waveform."""
    walk = _Walk(hear, options, stop)
    at = 0
    while len(audio) - at >= (_REST if at else _LEAST):
        at += walk.window(audio[at : at + WINDOW], at, more=at + WINDOW < len(audio))
    return Transcript(tuple(walk.segments), walk.language, suppressed=tuple(walk.suppressed))


@dataclass(slots=True)
class _Walk:
    """What one call has found so far."""

    hear: Hear
    options: Options
    stop: Stop
    segments: list[Segment] = field(default_factory=list)
    suppressed: list[str] = field(default_factory=list)

    @property
    def language(self) -> str | None:
        """As given, or found in the first window."""
        return self.options.language

    def window(self, audio: Waveform, at: int, *, more: bool) -> int:
        """Hear one window that begins at sample `at`; how many samples to go on by."""
        heard, temperature = self._attempt(audio)
        self.options = replace(self.options, language=self.options.language or heard.language)
        chunks, step = cut(heard.chunks, len(audio), more=more)
        for chunk, words in zip(chunks, _shared_out(heard.words, chunks), strict=True):
            self._add(chunk, words, at, temperature)
        if not more and step < len(audio) and not voices(speech_probabilities(audio[step:])):
            return len(audio)
        return step

    def _attempt(self, audio: Waveform) -> tuple[Heard, float]:
        """The first that does not go in circles, else the one that does so least."""
        options, attempts = self.options, list[tuple[Heard, float]]()
        for temperature in temperatures(options.temperature):
            self.stop()
            attempts.append((self.hear(audio, replace(options, temperature=temperature)), temperature))
            if not loops(attempts[-1][0].text):
                break
        chosen = min(attempts, key=lambda attempt: compression_ratio(attempt[0].text))
        self.suppressed += ["repetition"] * (len(attempts) - 1)
        return chosen

    def _add(self, chunk: Chunk, words: Iterable[Chunk], at: int, temperature: float) -> None:
        offset = at / SAMPLE_RATE
        if not chunk.text.strip() or chunk.end is None or chunk.end <= chunk.start:
            return
        self.segments.append(
            Segment(
                id=len(self.segments),
                start=offset + chunk.start,
                end=offset + chunk.end,
                text=chunk.text,
                compression_ratio=compression_ratio(chunk.text),
                temperature=temperature,
                seek=at * 100 // SAMPLE_RATE,
                words=tuple(_word(word, offset) for word in words) if self.options.word_timestamps else None,
            )
        )


def cut(chunks: tuple[Chunk, ...], samples: int, *, more: bool) -> tuple[tuple[Chunk, ...], int]:
    """The texts to keep of a window, their times inside it, and how many samples to go on by.

    The pipeline leaves out a last text that did not end in the window, unless it is the only one. Where the audio goes
    on, a text that ends at the edge may have been cut off as well. Either is heard again, from where the last ended.
    """
    seconds = samples / SAMPLE_RATE
    inside = tuple(
        Chunk(min(one.start, seconds), seconds if one.end is None else min(one.end, seconds), one.text)
        for one in chunks
    )
    if more and len(inside) > 1 and (inside[-1].end or 0.0) > seconds - _EDGE:
        inside = inside[:-1]
    ended = round((inside[-1].end or 0.0) * SAMPLE_RATE) if inside else samples
    return inside, samples if ended < _REST or (samples - ended < _REST and not more) else ended


def _shared_out(words: tuple[Chunk, ...], chunks: tuple[Chunk, ...]) -> list[list[Chunk]]:
    """The words of each text: one after the other, the words are the texts."""
    shares, left = list[list[Chunk]](), list(words)
    for chunk in chunks:
        share, length = list[Chunk](), 0
        while left and length < len(chunk.text):
            share.append(left.pop(0))
            length += len(share[-1].text)
        shares.append(share)
    return shares


def _word(word: Chunk, offset: float) -> Word:
    end = word.start if word.end is None else word.end
    return Word(word=word.text, start=offset + word.start, end=offset + end, timing=Timing.DTW)
