"""Speech that tests make for themselves is the same whichever of them run, and in which order."""

import numpy as np

from tests.support.espeak import speak


def test_a_text_sounds_the_same_whatever_was_said_before() -> None:
    first = speak("Good morning.", "en-us").audio
    speak("Guten Morgen.", "de+f2")
    speak.cache_clear()
    assert np.array_equal(speak("Good morning.", "en-us").audio, first)
