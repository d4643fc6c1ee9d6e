"""Decoding one window, and trying again warmer when the text looks like a loop or a guess."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from whisper_runtime.decoding.graphs import Decoder, Floats
from whisper_runtime.decoding.guards import loops
from whisper_runtime.decoding.rules import Chooser
from whisper_runtime.decoding.vocabulary import Vocabulary
from whisper_runtime.engine import Stop

MAX_TOKENS = 224
_MIN_LOGPROB = -1.0
NO_SPEECH = 0.6
"""The chance above which the model hears no speech, if it is unsure of its words: Whisper's own limit."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was decoded at one temperature. `tokens` are text and times, without the end."""

    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    """One for each token, and one for the end if it was reached."""
    text: str
    temperature: float
    no_speech_prob: float

    @property
    def avg_logprob(self) -> float:
        """The mean over all tokens, the end included."""
        return sum(self.logprobs) / max(1, len(self.logprobs))

    @property
    def ended(self) -> bool:
        """The model came to an end by itself."""
        return len(self.logprobs) > len(self.tokens)

    @property
    def silent(self) -> bool:
        """The model hears no speech and is unsure of the words that it says nevertheless."""
        return self.no_speech_prob > NO_SPEECH and self.avg_logprob < _MIN_LOGPROB

    @property
    def loops(self) -> bool:
        """The same words again and again."""
        return loops(self.text)

    @property
    def good(self) -> bool:
        """Nothing to be gained by trying again."""
        return self.silent or not (self.loops or self.avg_logprob < _MIN_LOGPROB)


def best(attempts: list[Attempt]) -> Attempt:
    """The last one if it is good; else one that does not loop if there is one, and of these the likeliest."""
    if attempts[-1].good:
        return attempts[-1]
    return max(attempts, key=lambda attempt: (not attempt.loops, attempt.avg_logprob))


@dataclass(frozen=True, slots=True)
class Ask:
    """What is wanted of one window."""

    temperatures: list[float]
    """To be tried in turn."""
    most_tokens: int
    no_speech_prob: float


@dataclass(slots=True)
class Saying:
    """An attempt in the making."""

    temperature: float
    most_tokens: int
    random: np.random.Generator
    said: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)

    @property
    def over(self) -> bool:
        """The model came to an end, or said as much as it may."""
        return len(self.logprobs) > len(self.said) or len(self.said) >= self.most_tokens

    def go_on(self, chooser: Chooser, logits: Floats, end: int) -> int:
        """The next token."""
        choice = chooser.choose(logits, self.said, self.temperature, self.random)
        self.logprobs.append(choice.logprob)
        if choice.token != end:
            self.said.append(choice.token)
        return choice.token

    def made(self, vocabulary: Vocabulary, no_speech_prob: float) -> Attempt:
        """What it has become."""
        text = vocabulary.text(self.said).strip()
        return Attempt(tuple(self.said), tuple(self.logprobs), text, self.temperature, no_speech_prob)


def fresh_random() -> np.random.Generator:
    """The same audio gives the same text."""
    return np.random.default_rng(0)


class Speaker:
    """Runs the decoder over a window that it already attends to, after the start token was fed."""

    def __init__(self, decoder: Decoder, vocabulary: Vocabulary, chooser: Chooser) -> None:
        self._decoder, self._v, self._chooser = decoder, vocabulary, chooser

    def say(self, orders: tuple[int, ...], ask: Ask, stop: Stop) -> list[Attempt]:
        """Attempts up to the first good one. `orders` follow what the decoder was fed so far."""
        begun = self._decoder.at
        opening = self._decoder.feed(orders).copy() if orders else self._decoder.logits.copy()
        after_orders = begun + len(orders)
        random = fresh_random()
        attempts: list[Attempt] = []
        for temperature in ask.temperatures:
            self._decoder.rewind(after_orders)
            attempts.append(self._attempt(opening, temperature, ask, random, stop))
            if attempts[-1].good:
                break
        return attempts

    def _attempt(
        self, logits: Floats, temperature: float, ask: Ask, random: np.random.Generator, stop: Stop
    ) -> Attempt:
        saying = Saying(temperature, min(ask.most_tokens, self._decoder.positions - self._decoder.at), random)
        while not saying.over:
            stop()
            token = saying.go_on(self._chooser, logits, self._v.end)
            if not saying.over:
                logits = self._decoder.feed((token,))
        return saying.made(self._v, ask.no_speech_prob)
