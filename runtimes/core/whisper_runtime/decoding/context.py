"""How much of the model's 30 s a window is heard in, and when what was heard in less is not to be believed. Pure.

The encoder's work follows the length of its context, so a short clip need not pay for 30 s. The model was only trained
on 30 s, though, and goes astray where audio ends too soon: it wants silence after the words, and silence at the end.
So a cut context is the audio, a margin, and a tail that stands where the 30 s end; what is between is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from whisper_runtime.decoding.attempt import MAX_TOKENS, NO_SPEECH, Attempt
from whisper_runtime.decoding.graphs import Positions
from whisper_runtime.decoding.mel import RATE, WINDOW_FRAMES
from whisper_runtime.decoding.vocabulary import SECONDS_PER_TIMESTAMP

ContextMode = Literal["cut", "full"]

STEPS = WINDOW_FRAMES // 2
_STEPS_PER_SECOND = 50
_MARGIN = 1 * _STEPS_PER_SECOND
_TAIL = 2 * _STEPS_PER_SECOND
_LEAST = 8 * _STEPS_PER_SECOND
"""Clips of two seconds go astray in a context of theirs, and do not in this one."""
_ALWAYS, _TOKENS_PER_SECOND = 24, 7
_BEYOND = 0.6
_SURE = -0.7


@dataclass(frozen=True, slots=True)
class Context:
    """Where each step of a window stands in the model's 30 s, and how many tokens may be said about it."""

    positions: Positions
    most_tokens: int


FULL = Context(np.arange(STEPS), MAX_TOKENS)


def cut_context(samples: int) -> Context | None:
    """What a window of so many samples is heard in first; None if nothing would be gained.

    Whole seconds: OpenVINO keeps megabytes for each length that it meets.
    """
    steps = max(_LEAST, -(-samples // RATE) * _STEPS_PER_SECOND + _MARGIN)
    if steps + _TAIL >= STEPS:
        return None
    positions = np.concatenate([np.arange(steps), np.arange(STEPS - _TAIL, STEPS)])
    return Context(positions, min(MAX_TOKENS, _ALWAYS + _TOKENS_PER_SECOND * samples // RATE))


def doubt(attempt: Attempt, samples: int, first_timestamp: int) -> str | None:
    """Why what was heard in a cut context is not to be believed: one word of a few, None if it is."""
    last = max((token for token in attempt.tokens if token >= first_timestamp), default=first_timestamp)
    if not attempt.ended:
        return "no_end"
    if attempt.loops:
        return "repetition"
    if attempt.avg_logprob < _SURE:
        return "unsure"
    if attempt.no_speech_prob > NO_SPEECH:
        return "no_speech"
    if (last - first_timestamp) * SECONDS_PER_TIMESTAMP > samples / RATE + _BEYOND:
        return "beyond_the_end"
    return None
