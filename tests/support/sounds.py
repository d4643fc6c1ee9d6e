"""Sound without a voice in it, of any number of samples at 16 kHz."""

from __future__ import annotations

import numpy as np
from whisper_runtime.engine import SAMPLE_RATE, Waveform


def silence(samples: int) -> Waveform:
    return np.zeros(samples, np.float32)


def hiss(samples: int) -> Waveform:
    return (0.01 * np.random.default_rng(0).standard_normal(samples)).astype(np.float32)


def roar(samples: int) -> Waveform:
    return 20 * hiss(samples)


def music(samples: int) -> Waveform:
    """A chord that changes twice a second."""
    time = np.arange(samples) / SAMPLE_RATE
    step = 2 ** ((time * 2).astype(int) % 5 / 12)
    tones = np.array([[220.0], [277.0], [330.0]])
    chord: Waveform = (np.sin(2 * np.pi * tones * step * time).sum(axis=0) / 10).astype(np.float32)
    return chord


WITHOUT_A_VOICE = (silence, hiss, roar, music)
