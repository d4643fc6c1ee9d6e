"""What a request says of words to come is heeded: hotwords spell names, and a text is written as its prompt is."""

from __future__ import annotations

import pytest

from tests.contract.speech.conftest import Hear
from tests.support.espeak import speak
from tests.support.words import JFK_WORDS, jfk, word_errors

NAMES = (
    (("metoprolol", "furosemide"), "The patient was given metoprolol and furosemide this morning.", "en-us"),
    (("Bogdanovich",), "Please call Mr. Bogdanovich before the end of the month.", "en+m3"),
    (("Tallahassee", "Ezekiel"), "The old farmer moved to Tallahassee with his brother Ezekiel.", "en-us"),
)
"""Hotwords, what is said, and the voice. Base makes something else of each without them, in full precision too."""
LOUD = "AND SO IT WAS. WE SAID: MY FRIENDS, WE ALL WENT HOME."
QUIET = "and so it was we said my friends and then we all went home i never use a capital or a comma"


@pytest.mark.parametrize(("hotwords", "said", "voice"), NAMES)
def test_names_are_right_with_hotwords_and_only_with_them(
    hear: Hear, hotwords: tuple[str, ...], said: str, voice: str
) -> None:
    """The plain one comes second: what is said of one request is forgotten with it."""
    audio = speak(said, voice).audio

    told = hear(audio, language="en", hotwords=", ".join(hotwords)).text
    plain = hear(audio, language="en").text

    assert [name for name in hotwords if name not in told] == []
    assert [name for name in hotwords if name in plain] == []


def test_a_text_is_written_as_its_prompt_is(hear: Hear) -> None:
    loud, quiet, plain = (hear(jfk(), language="en", prompt=prompt).text for prompt in (LOUD, QUIET, None))

    assert loud == loud.upper()
    assert (quiet, "," in quiet) == (quiet.lower(), False)
    assert plain not in (plain.lower(), plain.upper())
    assert word_errors(JFK_WORDS, loud) == word_errors(JFK_WORDS, plain) == 0
