"""Sound without a voice in it, of any number of samples at 16 kHz."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from whisper_runtime.engine import SAMPLE_RATE, Waveform

Doubles = npt.NDArray[np.float64]


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


def pink(samples: int, seed: int = 0) -> Waveform:
    """Noise with as much power in each octave, as of rain or a fan."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum)))), samples)
    return _as_loud_as(0.3, noise)


def hum(samples: int, seed: int = 0) -> Waveform:
    """Of the mains, with its harmonics."""
    time = np.arange(samples) / SAMPLE_RATE + seed
    harmonics = np.arange(1, 8)[:, None]
    return _as_loud_as(0.3, (np.sin(2 * np.pi * 50 * harmonics * time) / harmonics).sum(axis=0))


def clicks(samples: int, seed: int = 0) -> Waveform:
    """Three a second, as loud as can be."""
    random = np.random.default_rng(seed)
    audio = np.zeros(samples, np.float32)
    audio[random.integers(0, samples, 3 * samples // SAMPLE_RATE)] = random.uniform(-1, 1, 3 * samples // SAMPLE_RATE)
    return audio


def melody(samples: int, seed: int = 0) -> Waveform:
    """Plucked strings, four notes a second over three octaves."""
    random = np.random.default_rng(seed)
    audio = np.zeros(samples + SAMPLE_RATE)
    for begins in range(0, samples, SAMPLE_RATE // 4):
        note = 220 * 2 ** (random.choice(_SCALE) / 12) * random.choice([0.5, 1, 2])
        audio[begins : begins + SAMPLE_RATE] += _string(random.uniform(-1, 1, int(SAMPLE_RATE / note)))
    return _as_loud_as(0.5, audio[:samples])


_SCALE = (0, 2, 4, 5, 7, 9, 11, 12)


def _string(burst: Doubles) -> Doubles:
    """A second of it, as Karplus and Strong made them: a burst of noise goes round and round, and loses its highs."""
    rounds = [burst]
    while len(rounds) * len(burst) < SAMPLE_RATE:
        rounds.append(0.498 * (rounds[-1] + np.roll(rounds[-1], 1)))
    return np.concatenate(rounds)[:SAMPLE_RATE]


def _as_loud_as(peak: float, audio: Doubles) -> Waveform:
    loud: Waveform = (peak * audio / np.abs(audio).max()).astype(np.float32)
    return loud


WITHOUT_A_VOICE = (silence, hiss, roar, music)
SEEDED = (pink, hum, clicks, melody)
"""Each seed gives another sound of the kind."""
