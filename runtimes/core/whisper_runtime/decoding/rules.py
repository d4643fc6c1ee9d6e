"""Which token may come next, and what it costs. Pure; the grammar of Whisper's timestamps.

Times come in pairs around text, never go back, and the first lies within the first second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from whisper_runtime.decoding.vocabulary import Vocabulary

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Choice:
    """A token and the logarithm of its probability among those allowed."""

    token: int
    logprob: float


class Chooser:
    """Chooses tokens for one decode; its buffers are reused, its answers depend on the arguments alone."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._v = vocabulary
        self._scores = np.empty(vocabulary.size, np.float32)
        self._weights = np.empty(vocabulary.size, np.float32)

    def choose(self, logits: Floats, said: list[int], temperature: float, random: np.random.Generator) -> Choice:
        """The next token after `said`: the likeliest, or at a temperature one drawn by its probability."""
        v, scores = self._v, self._scores
        np.add(logits, v.never if said else v.never_first, out=scores)
        forbid_by_grammar(scores, said, v)
        peak = float(scores.max())
        np.subtract(scores, peak, out=self._weights)
        np.exp(self._weights, out=self._weights)
        total = self._prefer_time(float(self._weights.sum()))
        token = self._draw(scores, temperature, random) if temperature > 0 else int(self._weights.argmax())
        return Choice(token, float(scores[token]) - peak - float(np.log(total)))

    def _prefer_time(self, total: float) -> float:
        """If all times together are likelier than any one word, it is a time. The weight of what is left."""
        first = self._v.first_timestamp
        times = float(self._weights[first:].sum())
        if times > float(self._weights[:first].max()):
            self._weights[:first] = 0.0
            self._scores[:first] = -np.inf
            return times
        return total

    def _draw(self, scores: Floats, temperature: float, random: np.random.Generator) -> int:
        """Gumbel's trick: the maximum of scores plus noise is a draw from their softmax."""
        noise = random.gumbel(size=len(scores)).astype(np.float32)
        return int((scores / np.float32(temperature) + noise).argmax())


def forbid_by_grammar(scores: Floats, said: list[int], v: Vocabulary) -> None:
    """Sets to -inf, in place, what the timestamps said so far rule out."""
    first = v.first_timestamp
    if not said:
        scores[:first] = -np.inf
        scores[v.latest_first_timestamp + 1 :] = -np.inf
        return
    closing = said[-1] >= first and not opens(said, first)
    if said[-1] >= first and not closing:
        scores[first:] = -np.inf
    elif closing:
        scores[: v.end] = -np.inf
    latest = next((token for token in reversed(said) if token >= first), None)
    if latest is not None:
        scores[first : latest + (0 if closing else 1)] = -np.inf


def opens(said: list[int], first_timestamp: int) -> bool:
    """Whether the last token, a time, begins a segment: it is the first of all, or follows another time."""
    return len(said) < 2 or said[-2] >= first_timestamp  # noqa: PLR2004 - the one before the last
