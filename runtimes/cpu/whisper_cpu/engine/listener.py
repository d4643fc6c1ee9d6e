"""One worker's state and its walk over a waveform: encode a window, decode it, cut it into segments, go on.

A listener serves one request at a time and keeps nothing of it but buffers, each overwritten before it is read.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from whisper_runtime.decoding import compression_ratio
from whisper_runtime.engine import Options, Stop, Transcript
from whisper_runtime.results import Segment, Timing, TokenLogprob, Word

from whisper_cpu.engine.alignment import Aligner
from whisper_cpu.engine.attempt import Attempt, Speaker
from whisper_cpu.engine.decoder import Decoder
from whisper_cpu.engine.graphs import Graphs, value
from whisper_cpu.engine.mel import HOP, RATE, WINDOW_FRAMES, Floats, LogMel
from whisper_cpu.engine.segments import Cut, cut
from whisper_cpu.engine.vocabulary import SECONDS_PER_TIMESTAMP, Vocabulary
from whisper_cpu.engine.words import TimedWord

_WINDOW = WINDOW_FRAMES * HOP
_STEP = round(SECONDS_PER_TIMESTAMP * RATE)
_LEAST = RATE // 10
"""A rest shorter than this holds no word."""
_SHORTEST_REST = RATE // 2
"""What is left after the model's last timestamp is heard again only if it is at least this long."""


@dataclass(slots=True)
class _Hearing:
    """What one call has found so far."""

    options: Options
    stop: Stop
    language: str | None
    probability: float | None = None
    segments: list[Segment] = field(default_factory=list)
    suppressed: list[str] = field(default_factory=list)
    align_seconds: float | None = None


class Listener:
    """Hears waveforms of any length, 30 s at a time."""

    def __init__(self, graphs: Graphs, vocabulary: Vocabulary, mel: LogMel) -> None:
        self._graphs, self._v, self._mel = graphs, vocabulary, mel
        self._decoder = Decoder(graphs, vocabulary.size)
        self._speaker = Speaker(self._decoder, vocabulary)
        self._aligner = Aligner(graphs, vocabulary)

    def transcribe(self, audio: Floats, options: Options, stop: Stop) -> Transcript:
        """The segments of a whole waveform."""
        hearing = _Hearing(options, stop, options.language or (None if self._v.multilingual else "en"))
        at = 0
        try:
            while len(audio) - at >= (_SHORTEST_REST if at else _LEAST):
                stop()
                at += self._window(audio[at : at + _WINDOW], at, hearing)
        finally:
            self._decoder.release()
        return Transcript(
            segments=tuple(hearing.segments),
            language=hearing.language,
            language_probability=hearing.probability,
            align_seconds=hearing.align_seconds,
            suppressed=tuple(hearing.suppressed),
        )

    def _window(self, audio: Floats, at: int, hearing: _Hearing) -> int:
        """Hear one window that begins at sample `at`; how many samples to go on by."""
        cross = self._encode(audio)
        self._decoder.attend(cross)
        attempt = self._decode(hearing)
        if attempt.silent:
            hearing.suppressed.append("no_speech")
            return len(audio)
        cuts, steps = cut(attempt.tokens, self._v.first_timestamp, -(-len(audio) // _STEP))
        words = self._words(cross, attempt, len(audio), hearing) if hearing.options.word_timestamps else None
        for part in cuts:
            segment = self._segment(part, attempt, at, words)
            if hearing.options.logprobs:
                segment = segment.model_copy(update={"logprobs": self._logprobs(part, attempt)})
            if segment.text.strip() and segment.end > segment.start:
                hearing.segments.append(segment.model_copy(update={"id": len(hearing.segments)}))
        return min(steps * _STEP, len(audio))

    def _encode(self, audio: Floats) -> dict[str, Any]:
        """The keys and values that the decoder attends to. The seam for a context shorter than 30 s is here."""
        mel = self._mel(audio, WINDOW_FRAMES)
        names = self._graphs.cross_names()
        inputs = {"mel": value(mel), "epos": value(np.arange(WINDOW_FRAMES // 2))}
        return dict(zip(names, self._graphs.encoder.run_with_ort_values(names, inputs), strict=True))

    def _decode(self, hearing: _Hearing) -> Attempt:
        v, options = self._v, hearing.options
        if hearing.language is None:
            hearing.language, hearing.probability = self._detect()
        prompt = v.prompt(options.prompt, options.hotwords)
        if prompt or not self._decoder.at:
            self._decoder.rewind(0)
            self._decoder.feed((*prompt, v.start))
        no_speech = float(_softmax(self._decoder.logits)[v.no_speech])
        orders = v.orders(hearing.language, options.task)
        return self._speaker.say(orders, options.temperature, no_speech, hearing.stop)

    def _detect(self) -> tuple[str, float]:
        """The likeliest language, and its probability among all languages: what the model says right at the start."""
        logits = self._decoder.feed((self._v.start,))
        codes = list(self._v.languages)
        chances = _softmax(logits[[self._v.languages[code] for code in codes]])
        likeliest = int(chances.argmax())
        return codes[likeliest], float(chances[likeliest])

    def _segment(self, part: Cut, attempt: Attempt, at: int, words: list[TimedWord] | None) -> Segment:
        text = self._v.text(part.tokens)
        offset = at / RATE
        mine = None if words is None else _words_of(part, words, offset)
        return Segment(
            id=0,
            start=mine[0].start if mine else offset + part.start * SECONDS_PER_TIMESTAMP,
            end=mine[-1].end if mine else offset + part.end * SECONDS_PER_TIMESTAMP,
            text=text,
            avg_logprob=attempt.avg_logprob,
            no_speech_prob=attempt.no_speech_prob,
            compression_ratio=compression_ratio(text),
            temperature=attempt.temperature,
            seek=at // HOP,
            tokens=part.tokens,
            words=mine,
        )

    def _logprobs(self, part: Cut, attempt: Attempt) -> tuple[TokenLogprob, ...]:
        """Of the segment's words; orders and times have none."""
        found = []
        for token, logprob in zip(part.tokens, attempt.logprobs[part.first :], strict=False):
            if token < self._v.end:
                data = self._v.bytes_of(token)
                found.append(TokenLogprob(token=data.decode(errors="replace"), logprob=logprob, bytes=tuple(data)))
        return tuple(found)

    def _words(self, cross: dict[str, Any], attempt: Attempt, samples: int, hearing: _Hearing) -> list[TimedWord]:
        begun = time.perf_counter()
        language = hearing.language or "en"
        orders = self._v.orders(language, hearing.options.task)
        frames = min(WINDOW_FRAMES // 2, max(len(attempt.tokens) + 1, -(-samples // _STEP)))
        words = self._aligner.words(cross, attempt, orders, language, frames)
        hearing.align_seconds = (hearing.align_seconds or 0.0) + time.perf_counter() - begun
        return words


def _words_of(part: Cut, words: list[TimedWord], offset: float) -> tuple[Word, ...]:
    """The words whose first token is one of this segment's."""
    return tuple(
        Word(
            word=word.text,
            start=offset + word.start,
            end=offset + word.end,
            probability=word.probability,
            timing=Timing.DTW,
        )
        for word in words
        if part.first <= word.first < part.first + len(part.tokens)
    )


def _softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    weights = np.exp(logits.astype(np.float64) - float(logits.max()))
    chances: npt.NDArray[np.float64] = weights / weights.sum()
    return chances
