"""Of sound in which nobody speaks Whisper makes words, above all "you" and "Thank you". Nobody gets to see them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from whisper_runtime.engine import SAMPLE_RATE, Waveform

from tests.contract.speech.conftest import Hear
from tests.support.clips import beside
from tests.support.sounds import SEEDED, WITHOUT_A_VOICE, melody, silence
from tests.support.words import JFK_WORDS, word_errors

Sound = Callable[..., Waveform]
SECONDS = 10
SEEDS = range(3)
LIKE_A_VOICE = ((14, True), (53, False))
"""Melodies in which voice detection finds a voice: these are heard, and it is the model's own doubt that counts."""
MISHEARD = 1
"""With six seconds of something else before it, "ask not" is heard as "asked not"."""


@pytest.mark.parametrize("vad", [True, False], ids=["vad", "no vad"])
@pytest.mark.parametrize("sound", [*WITHOUT_A_VOICE, *SEEDED])
def test_there_are_no_words_in(hear: Hear, sound: Sound, vad: bool) -> None:  # noqa: FBT001 - a parameter of the test
    kinds = [(seed,) for seed in SEEDS] if sound in SEEDED else [()]
    for seed in kinds:
        heard = hear(sound(SECONDS * SAMPLE_RATE, *seed), vad=vad)
        assert (heard.text, heard.transcript.suppressed) == ("", () if vad else ("no_voice",))


@pytest.mark.parametrize(("seed", "vad"), LIKE_A_VOICE)
def test_there_are_none_in_a_melody_that_is_taken_for_a_voice(hear: Hear, seed: int, vad: bool) -> None:  # noqa: FBT001 - as above
    heard = hear(melody(SECONDS * SAMPLE_RATE, seed), vad=vad)
    assert (heard.text, heard.transcript.suppressed) == ("", ("no_speech",))


@pytest.mark.parametrize("sound", [silence, melody])
def test_there_are_none_beside_those_that_are_said(hear: Hear, sound: Sound) -> None:
    heard = hear(beside(sound), vad=False)
    assert len(heard.text.split()) == len(JFK_WORDS.split())
    assert word_errors(JFK_WORDS, heard.text) <= MISHEARD
