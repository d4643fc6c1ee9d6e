"""All speech that tests of real engines hear: recordings, and texts in espeak-ng's voices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import soundfile
from whisper_runtime.engine import SAMPLE_RATE, Waveform
from whisper_runtime.serving.canary import FIRST, SECOND, clip

from tests.support.espeak import Speech, SpokenWord, speak
from tests.support.sounds import hiss, melody, silence
from tests.support.words import SAMPLE, jfk

SENTENCES = (
    ("The old farmer walked slowly across the field, and then he sat down under a tree.", "en-us"),
    ("Please send the money to my brother before the end of the month. He needs it for the house.", "en-us+f2"),
    ("In the morning the children play outside. When it rains, they stay at home and read books.", "en+m3"),
    ("I would like to know how many people will come to dinner on Saturday evening.", "en-gb-x-rp+f3"),
)
TOLD = (
    "The old bridge was closed in the winter because the ice had moved two of its pillars.",
    "She measured every stone, drank a cup of tea, and promised nothing at all.",
    "So the teacher wrote a letter to the county, and in the spring an engineer came with a long list of questions.",
)
TELLING = ("en-us", "en+m7")
IN_LANGUAGES = {
    "en-us": "Good morning. The weather is nice today, and we are going to the park with the children.",
    "de": "Guten Morgen. Heute ist das Wetter schön, und wir gehen mit den Kindern in den Park.",
    "es": "Buenos días. Hoy hace buen tiempo y vamos al parque con los niños.",
    "it": "Buongiorno. Oggi fa bel tempo e andiamo al parco con i bambini.",
}
"""By voice."""
_PAUSE = 4 * SAMPLE_RATE
"""More than what is left in for the engine to hear."""


def telephone() -> Waveform:
    """Half a minute of two people on a bad line."""
    audio: Waveform = soundfile.read(SAMPLE, dtype="float32")[0]
    return audio


def sentences() -> Speech:
    """One after the other, with a pause before each in which hardly anything is heard."""
    pieces: list[Waveform] = []
    words: list[SpokenWord] = []
    for text, voice in SENTENCES:
        speech = speak(text, voice)
        pieces.append(np.float32(0.3) * hiss(_PAUSE))
        offset = sum(map(len, pieces)) / SAMPLE_RATE
        words += [SpokenWord(word.text, offset + word.start, offset + word.end) for word in speech.words]
        pieces.append(speech.audio)
    return Speech(np.concatenate(pieces), tuple(words))


def beside(sound: Callable[[int], Waveform]) -> Waveform:
    """The speech of 1961, with six seconds of something else before and after it."""
    around = sound(6 * SAMPLE_RATE)
    return np.concatenate([around, jfk(), around])


@dataclass(frozen=True, slots=True)
class Clip:
    """Speech of one language."""

    name: str
    audio: Callable[[], Waveform]
    language: str = "en"


def _spoken(text: str, voice: str) -> Waveform:
    return speak(text, voice).audio


RECORDED = (
    Clip("jfk", jfk),
    Clip("sample", telephone),
    Clip("americans", partial(clip, FIRST)),
    Clip("country", partial(clip, SECOND)),
    Clip("jfk-in-silence", partial(beside, silence)),
    Clip("jfk-in-music", partial(beside, melody)),
)
SPOKEN = (
    Clip("sentences", lambda: sentences().audio),
    *(Clip(f"told-{i}-{voice}", partial(_spoken, text, voice)) for i, text in enumerate(TOLD) for voice in TELLING),
    *(Clip(f"morning-{voice}", partial(_spoken, text, voice), voice[:2]) for voice, text in IN_LANGUAGES.items()),
)
