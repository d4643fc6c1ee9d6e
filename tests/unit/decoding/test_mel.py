"""The spectrogram against its definition, written out slowly."""

import numpy as np
import numpy.typing as npt
import pytest
from whisper_runtime.decoding.mel import HOP, RATE, LogMel, mel_filters


def defined(audio: npt.NDArray[np.float64], frame: int, bins: int) -> npt.NDArray[np.float64]:
    """log10 of the mel power of one frame: a Hann window of 400 samples around its centre, mirrored at the start."""
    n = np.arange(400)
    at = frame * HOP - 200 + n
    samples = np.where(np.abs(at) < len(audio), audio[np.minimum(np.abs(at), len(audio) - 1)], 0.0)
    windowed = samples * (0.5 - 0.5 * np.cos(2 * np.pi * n / 400))
    power = np.array([abs(np.sum(windowed * np.exp(-2j * np.pi * k * n / 400))) ** 2 for k in range(201)])
    filters = mel_filters(bins).astype(np.float64)
    return np.asarray(np.log10(np.maximum(power @ filters, 1e-10)))


@pytest.mark.parametrize("bins", [80, 128])
def test_frames_are_those_of_the_definition(bins: int) -> None:
    audio = 0.1 * np.random.default_rng(0).standard_normal(2 * RATE)
    mel = LogMel(bins)(audio.astype(np.float32))[0]
    peak = max(defined(audio, frame, bins).max() for frame in range(0, 201, 5))
    for frame in (0, 1, 57, 198):
        expected = (np.maximum(defined(audio, frame, bins), peak - 8) + 4) / 4
        assert np.abs(mel[frame] - expected).max() < 2e-3


def test_filters_have_equal_area_and_known_peaks() -> None:
    filters = mel_filters(80)
    assert filters.shape == (201, 80)
    assert (filters.argmax(axis=0)[[20, 60, 79]] * 40).tolist() == pytest.approx([800, 3700, 7720], abs=130)
    # What librosa gives for (16 kHz, 400, 80), as published with Whisper: the first two filters at 40 Hz.
    assert filters[1, :2] == pytest.approx([0.02486259, 0.00199082], abs=1e-6)


def test_what_follows_the_audio_is_silence_of_one_value() -> None:
    mel = LogMel(80)(0.1 * np.ones(RATE, np.float32))
    assert mel.shape == (1, 3000, 80)
    assert np.ptp(mel[0, 110:]) == 0
    assert mel.min() == mel[0, -1, 0]


@pytest.mark.parametrize("samples", [0, 1, 150, 480_000, 500_000])
def test_any_length_gives_a_whole_window(samples: int) -> None:
    mel = LogMel(80)(np.full(samples, 0.01, np.float32))
    assert mel.shape == (1, 3000, 80)
    assert np.isfinite(mel).all()
