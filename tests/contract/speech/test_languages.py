"""Which language is spoken, and what it means in English."""

from __future__ import annotations

import pytest

from tests.contract.speech.conftest import Hear
from tests.support.clips import IN_LANGUAGES
from tests.support.espeak import speak


@pytest.mark.parametrize("voice", IN_LANGUAGES)
def test_the_language_is_found_by_listening(hear: Hear, voice: str) -> None:
    transcript = hear(speak(IN_LANGUAGES[voice], voice).audio).transcript
    assert transcript.language == voice[:2]
    assert transcript.language_probability is not None
    assert transcript.language_probability > 0.5


def test_what_is_said_in_spanish_is_told_in_english(hear: Hear) -> None:
    heard = hear(speak(IN_LANGUAGES["es"], "es").audio, task="translate")
    assert heard.transcript.language == "es"
    assert {"good", "park", "children"} <= set(heard.text.lower().replace(".", " ").replace("!", " ").split())


def test_what_is_said_in_spanish_is_written_in_spanish(hear: Hear) -> None:
    heard = hear(speak(IN_LANGUAGES["es"], "es").audio, language="es")
    assert {"vamos", "parque", "niños"} <= set(heard.text.lower().replace(".", " ").split())
