"""A window is heard in about its own length, and in full where that is not to be believed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from whisper_runtime.decoding.attempt import MAX_TOKENS, Attempt
from whisper_runtime.decoding.context import FULL, cut_context, doubt

RATE = 16_000
FIRST_TIME = 100
SAID = Attempt((FIRST_TIME, 1, 2, FIRST_TIME + 150), (-0.1,) * 5, "a b", temperature=0.0, no_speech_prob=0.1)
"""Three seconds, ended."""


def test_a_cut_context_is_the_audio_a_margin_and_a_tail_at_the_end_of_the_30_s() -> None:
    context = cut_context(10 * RATE + 1)
    assert context is not None
    assert context.positions.tolist() == [*range(12 * 50), *range(1400, 1500)]
    assert context.most_tokens == 24 + 7 * 10


def test_no_clip_is_heard_in_less_than_eight_seconds_and_the_tail() -> None:
    context = cut_context(RATE // 10)
    assert context is not None
    assert context.positions.tolist() == [*range(8 * 50), *range(1400, 1500)]


@pytest.mark.parametrize("samples", [27 * RATE, 30 * RATE])
def test_a_window_that_hardly_leaves_anything_out_is_heard_in_full_at_once(samples: int) -> None:
    assert cut_context(samples) is None


def test_no_more_may_be_said_than_in_the_full_context() -> None:
    longest = cut_context(26 * RATE)
    assert longest is not None
    assert longest.most_tokens <= MAX_TOKENS
    assert FULL.positions.tolist() == list(range(1500))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (SAID, None),
        (replace(SAID, logprobs=SAID.logprobs[:-1]), "no_end"),
        (replace(SAID, text="again " * 50), "repetition"),
        (replace(SAID, logprobs=(-1.1,) * 5), "unsure"),
        (replace(SAID, no_speech_prob=0.7), "no_speech"),
        (replace(SAID, tokens=(*SAID.tokens[:-1], FIRST_TIME + 181)), "beyond_the_end"),
        (replace(SAID, tokens=(*SAID.tokens[:-1], FIRST_TIME + 180)), None),
    ],
)
def test_what_is_doubted(said: Attempt, why: str | None) -> None:
    assert doubt(said, 3 * RATE, FIRST_TIME) == why
