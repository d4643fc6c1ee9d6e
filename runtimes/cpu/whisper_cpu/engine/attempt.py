"""Decoding one window, and trying again warmer when the text looks like a loop or a guess."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from whisper_runtime.decoding import loops, temperatures
from whisper_runtime.engine import Stop

from whisper_cpu.engine.decoder import Decoder, Floats
from whisper_cpu.engine.rules import Chooser
from whisper_cpu.engine.vocabulary import Vocabulary

MAX_TOKENS = 224
_MIN_LOGPROB = -1.0
_SILENT = 0.6


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
    def silent(self) -> bool:
        """The model hears no speech and is unsure of the words that it says nevertheless."""
        return self.no_speech_prob > _SILENT and self.avg_logprob < _MIN_LOGPROB

    @property
    def loops(self) -> bool:
        """The same words again and again."""
        return loops(self.text)

    @property
    def good(self) -> bool:
        """Nothing to be gained by trying again."""
        return self.silent or not (self.loops or self.avg_logprob < _MIN_LOGPROB)


def best(attempts: list[Attempt]) -> Attempt:
    """Of attempts none of which is good: one that does not loop if there is one, then the likeliest."""
    return max(attempts, key=lambda attempt: (not attempt.loops, attempt.avg_logprob))


class Speaker:
    """Runs the decoder over a window that it already attends to, after the start token was fed."""

    def __init__(self, decoder: Decoder, vocabulary: Vocabulary) -> None:
        self._decoder, self._v = decoder, vocabulary
        self._chooser = Chooser(vocabulary)

    def say(self, orders: tuple[int, ...], temperature: float, no_speech_prob: float, stop: Stop) -> Attempt:
        """The first good attempt, else the best one. `orders` follow what the decoder was fed so far."""
        begun = self._decoder.at
        opening = self._decoder.feed(orders).copy() if orders else self._decoder.logits.copy()
        after_orders = begun + len(orders)
        random = np.random.default_rng(0)  # the same audio gives the same text
        attempts: list[Attempt] = []
        for warmth in temperatures(temperature):
            self._decoder.rewind(after_orders)
            attempts.append(self._attempt(opening, warmth, no_speech_prob, random, stop))
            if attempts[-1].good:
                return attempts[-1]
        return best(attempts)

    def _attempt(
        self, logits: Floats, temperature: float, no_speech_prob: float, random: np.random.Generator, stop: Stop
    ) -> Attempt:
        said: list[int] = []
        logprobs: list[float] = []
        limit = min(MAX_TOKENS, self._decoder.positions - self._decoder.at)
        while len(said) < limit:
            stop()
            choice = self._chooser.choose(logits, said, temperature, random)
            logprobs.append(choice.logprob)
            if choice.token == self._v.end:
                break
            said.append(choice.token)
            if len(said) < limit:
                logits = self._decoder.feed((choice.token,))
        return Attempt(tuple(said), tuple(logprobs), self._v.text(said).strip(), temperature, no_speech_prob)
