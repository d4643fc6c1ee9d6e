"""A clip as engines hear it: mono, at 16 kHz, in windows of at most 30 s that are the same for all of them."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from whisper_models.clips import Clip
from whisper_models.errors import UnusableSample

RATE = 16_000
WINDOW_SECONDS = 30
SHORTEST, LONGEST = 0.5, 120.0
"""Seconds of one clip: engines make up words for less, and a manifest keeps the text of each."""

Waveform = npt.NDArray[np.float32]


def windows(clip: Clip) -> list[Waveform]:
    """Mono at 16 kHz, in equal windows.

    Raises:
        UnusableSample: not audio, or too short or too long.
    """
    try:
        with soundfile.SoundFile(clip.path) as file:
            seconds = file.frames / file.samplerate
            if not SHORTEST <= seconds <= LONGEST:
                raise UnusableSample(
                    f"{clip.path} lasts {seconds:.1f} s: give clips between {SHORTEST} and {LONGEST:.0f} s"
                )
            heard, rate = file.read(dtype="float32", always_2d=True).mean(axis=1), file.samplerate
    except (soundfile.SoundFileError, OSError) as error:
        raise UnusableSample(f"{clip.path} cannot be read as audio ({error}): give a wav file") from error
    mono = np.asarray(soxr.resample(heard, rate, RATE), np.float32)
    return list(np.array_split(mono, math.ceil(len(mono) / (WINDOW_SECONDS * RATE))))
