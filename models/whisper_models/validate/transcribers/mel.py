"""Whisper's input, for the one engine here that does not compute it by itself."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from whisper_models.convert.mel import mel_filters

HOP, FFT, FRAMES = 160, 400, 3000
Floats = npt.NDArray[np.float32]


def log_mel(audio: Floats, bins: int) -> Floats:
    """(1, 3000, bins) of at most 30 s, followed by silence: as in OpenAI's `log_mel_spectrogram`."""
    padded = np.pad(np.pad(audio, (0, FRAMES * HOP - len(audio))), FFT // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP][:FRAMES]
    power = np.abs(np.fft.rfft(windows * np.hanning(FFT + 1)[:-1])) ** 2
    logs = np.log10(np.maximum(power @ mel_filters(bins).T, 1e-10))
    scaled: Floats = ((np.maximum(logs, logs.max() - 8.0) + 4.0) / 4.0).astype(np.float32)
    return scaled[None]
