"""One worker's state and its walk over a waveform: encode a window, decode it, cut it into segments, go on.

A listener serves one request at a time and keeps nothing of it but buffers, each overwritten before it is read.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from whisper_runtime.decoding.alignment import Aligner
from whisper_runtime.decoding.attempt import Ask, Attempt, Speaker, best
from whisper_runtime.decoding.context import FULL, STEPS, Context, ContextMode, cut_context, doubt
from whisper_runtime.decoding.graphs import Audio, Graphs
from whisper_runtime.decoding.guards import compression_ratio, temperatures
from whisper_runtime.decoding.mel import HOP, RATE, WINDOW_FRAMES, Floats, LogMel
from whisper_runtime.decoding.rules import Chooser
from whisper_runtime.decoding.segments import Cut, cut
from whisper_runtime.decoding.vocabulary import SECONDS_PER_TIMESTAMP, Vocabulary
from whisper_runtime.decoding.words import TimedWord
from whisper_runtime.engine import Options, Stop, Transcript
from whisper_runtime.results import Segment, Timing, TokenLogprob, Word

_WINDOW = WINDOW_FRAMES * HOP
_STEP = round(SECONDS_PER_TIMESTAMP * RATE)
_LEAST = RATE // 10
"""A rest shorter than this holds no word."""
_SHORTEST_REST = RATE // 2
"""What is left after the model's last timestamp is heard again only if it is at least this long."""


@dataclass(slots=True)
class Hearing:
    """What was found so far in one waveform."""

    options: Options
    stop: Stop
    language: str | None
    probability: float | None = None
    segments: list[Segment] = field(default_factory=list)
    suppressed: list[str] = field(default_factory=list)
    heard_in_full: list[str] = field(default_factory=list)
    align_seconds: float | None = None

    def transcript(self) -> Transcript:
        """All of it."""
        return Transcript(
            segments=tuple(self.segments),
            language=self.language,
            language_probability=self.probability,
            align_seconds=self.align_seconds,
            suppressed=tuple(self.suppressed),
            heard_in_full=tuple(self.heard_in_full),
        )


class Listener:
    """Hears waveforms of any length, 30 s at a time; a shorter one in the context that `context` says."""

    def __init__(self, graphs: Graphs, vocabulary: Vocabulary, mel: LogMel, context: ContextMode) -> None:
        self.graphs, self.vocabulary, self._mel, self._context = graphs, vocabulary, mel, context
        self.chooser = Chooser(vocabulary)
        self._decoder = graphs.decoder()
        self._speaker = Speaker(self._decoder, vocabulary, self.chooser)
        self._aligner = Aligner(graphs, vocabulary)

    def transcribe(self, audio: Floats, options: Options, stop: Stop) -> Transcript:
        """The segments of a whole waveform."""
        hearing = Hearing(options, stop, options.language or (None if self.vocabulary.multilingual else "en"))
        self.go_on(audio, 0, hearing)
        return hearing.transcript()

    def go_on(self, audio: Floats, at: int, hearing: Hearing) -> None:
        """Hear what follows sample `at`, if a word may be in it."""
        try:
            while more_to_hear(audio, at):
                hearing.stop()
                window = audio[at : at + _WINDOW]
                heard, attempt = self._hear(window, hearing)
                at += self.take(heard, attempt, len(window), at, hearing)
        finally:
            self._decoder.release()

    def encode(self, audio: Floats) -> Audio:
        """A window in Whisper's 30 s, as the decoder hears it."""
        return self._encode(FULL, audio)

    def again(self, heard: Audio, first: Attempt, hearing: Hearing) -> Attempt:
        """The best of the first attempt, which was not good, and warmer ones."""
        try:
            self._decoder.attend(heard)
            warmer = self._decode(FULL, temperatures(hearing.options.temperature)[1:], hearing)
        finally:
            self._decoder.release()
        return _chosen([first, *warmer], hearing)

    def take(self, heard: Audio, attempt: Attempt, samples: int, at: int, hearing: Hearing) -> int:
        """Segments of a window of so many samples that begins at sample `at`; how many samples to go on by."""
        if attempt.silent:
            hearing.suppressed.append("no_speech")
            return samples
        cuts, steps = cut(attempt.tokens, self.vocabulary.first_timestamp, -(-samples // _STEP))
        words = self._words(heard, attempt, samples, hearing) if hearing.options.word_timestamps else None
        for part in cuts:
            segment = self._segment(part, attempt, at, words)
            if hearing.options.logprobs:
                segment = segment.model_copy(update={"logprobs": self._logprobs(part, attempt)})
            if segment.text.strip() and segment.end > segment.start:
                hearing.segments.append(segment.model_copy(update={"id": len(hearing.segments)}))
        return min(steps * _STEP, samples)

    def _hear(self, audio: Floats, hearing: Hearing) -> tuple[Audio, Attempt]:
        """What was said, and the audio as the decoder heard it: in a cut context, if that is to be believed."""
        warmths = temperatures(hearing.options.temperature)
        if self._context == "cut" and (context := cut_context(len(audio))):
            language, probability = hearing.language, hearing.probability
            heard, (attempt,) = self._hear_in(context, audio, warmths[:1], hearing)
            doubted = doubt(attempt, len(audio), self.vocabulary.first_timestamp)
            if doubted is None:
                return heard, attempt
            hearing.heard_in_full.append(doubted)
            hearing.language, hearing.probability = language, probability  # what was detected may be what is wrong
        heard, attempts = self._hear_in(FULL, audio, warmths, hearing)
        return heard, _chosen(attempts, hearing)

    def _hear_in(
        self, context: Context, audio: Floats, warmths: list[float], hearing: Hearing
    ) -> tuple[Audio, list[Attempt]]:
        heard = self._encode(context, audio)
        self._decoder.attend(heard)
        return heard, self._decode(context, warmths, hearing)

    def _encode(self, context: Context, audio: Floats) -> Audio:
        return self.graphs.encode(self._mel(audio, 2 * len(context.positions)), context.positions)

    def _decode(self, context: Context, warmths: list[float], hearing: Hearing) -> list[Attempt]:
        v, options = self.vocabulary, hearing.options
        if hearing.language is None:
            hearing.language, hearing.probability = self._detect()
        prompt = v.prompt(options.prompt, options.hotwords)
        if prompt or not self._decoder.at:
            self._decoder.rewind(0)
            self._decoder.feed((*prompt, v.start))
        no_speech = chance(self._decoder.logits, v.no_speech)
        orders = v.orders(hearing.language, options.task)
        return self._speaker.say(orders, Ask(warmths, context.most_tokens, no_speech), hearing.stop)

    def _detect(self) -> tuple[str, float]:
        """The likeliest language, and its probability among all languages: what the model says right at the start."""
        logits = self._decoder.feed((self.vocabulary.start,))
        codes = list(self.vocabulary.languages)
        chances = _softmax(logits[[self.vocabulary.languages[code] for code in codes]])
        likeliest = int(chances.argmax())
        return codes[likeliest], float(chances[likeliest])

    def _segment(self, part: Cut, attempt: Attempt, at: int, words: list[TimedWord] | None) -> Segment:
        text = self.vocabulary.text(part.tokens)
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
            if token < self.vocabulary.end:
                data = self.vocabulary.bytes_of(token)
                found.append(TokenLogprob(token=data.decode(errors="replace"), logprob=logprob, bytes=tuple(data)))
        return tuple(found)

    def _words(self, heard: Audio, attempt: Attempt, samples: int, hearing: Hearing) -> list[TimedWord]:
        begun = time.perf_counter()
        language = hearing.language or "en"
        orders = self.vocabulary.orders(language, hearing.options.task)
        frames = min(STEPS, max(len(attempt.tokens) + 1, -(-samples // _STEP)))
        words = self._aligner.words(heard, attempt, orders, language, frames)
        hearing.align_seconds = (hearing.align_seconds or 0.0) + time.perf_counter() - begun
        return words


def more_to_hear(audio: Floats, at: int) -> bool:
    """Whether a word may be in what follows sample `at`."""
    return len(audio) - at >= (_SHORTEST_REST if at else _LEAST)


def _chosen(attempts: list[Attempt], hearing: Hearing) -> Attempt:
    """The best; the others are counted if they went in circles."""
    chosen = best(attempts)
    hearing.suppressed += ["repetition" for attempt in attempts if attempt.loops and attempt is not chosen]
    return chosen


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


def chance(logits: Floats, token: int) -> float:
    """Of one token, among all."""
    return float(_softmax(logits)[token])


def _softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    weights = np.exp(logits.astype(np.float64) - float(logits.max()))
    chances: npt.NDArray[np.float64] = weights / weights.sum()
    return chances
