"""What is heard: 2, 5, 11 and 30 s of speech whose words are known, cut at pauses between them.

The longest is the JFK clip and a part of the telephone call after it: of the call alone, which begins with silence and
breaks off in a word, every engine says much twice without voice detection, so that nobody's time means anything.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.kept import kept
from tests.support.words import JFK, JFK_WORDS, SAMPLE, sample_words


@dataclass(frozen=True, slots=True)
class Clip:
    """Speech, mono at 16 kHz, and what is said."""

    name: str
    file: Path
    seconds: float
    words: str


_CUTS = (
    ("2 s", 0.0, 2.35, "And so, my fellow Americans"),
    ("5 s", 5.3, 10.4, "what your country can do for you, ask what you can do for your country."),
)
"""Of the JFK clip: name, begin and end in seconds, and what is said between."""
_CALL = (9.8, 28.43)
"""Begin and end of the part of the call."""


def clips() -> tuple[Clip, ...]:
    """From the shortest to the longest."""
    folder = kept(f"clips-{hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]}", _cut)
    short = (_clip(name, folder / f"{name}.wav", words) for name, _, _, words in _CUTS)
    long = _clip("30 s", folder / "30 s.wav", f"{JFK_WORDS} {sample_words(*_CALL)}")
    return (*short, _clip("11 s", JFK, JFK_WORDS), long)


def call() -> Clip:
    """The whole telephone call, for engines that find the voices in it."""
    return _clip("call", SAMPLE, sample_words())


def _clip(name: str, file: Path, words: str) -> Clip:
    return Clip(name, file, float(soundfile.info(file).duration), words)


def _cut(folder: Path) -> None:
    samples, rate = soundfile.read(JFK, dtype="int16")
    for name, begin, end, _ in _CUTS:
        soundfile.write(folder / f"{name}.wav", samples[round(begin * rate) : round(end * rate)], rate)
    begin, end = (round(at * rate) for at in _CALL)
    part = soundfile.read(SAMPLE, dtype="int16")[0][begin:end]
    soundfile.write(folder / "30 s.wav", np.concatenate([samples, part]), rate)
