"""Speech that sends the decoder round in circles."""

from __future__ import annotations

from whisper_runtime.decoding.guards import loops, temperatures

from tests.contract.speech.conftest import Hear
from tests.support.espeak import speak


def test_a_text_that_goes_in_circles_is_decoded_again_warmer_and_counted(hear: Hear) -> None:
    heard = hear(speak("ha, " * 25).audio, language="en").transcript
    circles = heard.suppressed.count("repetition")
    assert circles
    assert all(segment.temperature > 0 for segment in heard.segments if not loops(segment.text))
    if any(loops(segment.text) for segment in heard.segments):  # then nothing better was found at any temperature
        assert circles == len(temperatures(0.0)) - 1
