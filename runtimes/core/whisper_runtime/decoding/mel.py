"""Whisper's input: a log-mel spectrogram, time-major, of up to 30 s at 16 kHz."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

RATE = 16_000
HOP = 160
FRAMES_PER_SECOND = RATE // HOP
WINDOW_FRAMES = 30 * FRAMES_PER_SECOND
_FFT = 400
_FLOOR = 1e-10
_RANGE = 8.0  # decades below the loudest value that are kept

Floats = npt.NDArray[np.float32]


def _hertz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Slaney's scale: linear up to 1 kHz (15 mel), logarithmic above."""
    linear = mel * (200.0 / 3)
    return np.where(mel < 15.0, linear, 1000.0 * np.exp(np.log(6.4) / 27.0 * (mel - 15.0)))  # noqa: PLR2004 - 1 kHz


def mel_filters(bins: int) -> Floats:
    """Triangular filters of equal area: (frequencies, bins)."""
    top = 15.0 + 27.0 * np.log(RATE / 2 / 1000.0) / np.log(6.4)
    edges = _hertz(np.linspace(0.0, top, bins + 2))
    frequencies = np.arange(_FFT // 2 + 1)[:, None] * (RATE / _FFT)
    rising = (frequencies - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequencies) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (edges[2:] - edges[:-2]))
    return np.ascontiguousarray(triangles, dtype=np.float32)


class LogMel:
    """Computes spectrograms with a given number of mel bins."""

    def __init__(self, bins: int) -> None:
        self.bins = bins
        self._filters = mel_filters(bins)
        self._window = np.hanning(_FFT + 1)[:-1].astype(np.float32)

    def __call__(self, audio: Floats, frames: int = WINDOW_FRAMES) -> Floats:
        """(1, frames, bins); the audio is cut to `frames`, or followed by silence.

        Only frames that touch the audio are computed: silence has one value.
        """
        audio = audio[: frames * HOP]
        heard = min(frames, (len(audio) + _FFT // 2) // HOP + 1)
        left = audio[_FFT // 2 : 0 : -1]  # the reflection that the models were trained with
        padded = np.zeros(_FFT // 2 + heard * HOP + _FFT, np.float32)
        padded[_FFT // 2 - len(left) : _FFT // 2] = left
        padded[_FFT // 2 : _FFT // 2 + len(audio)] = audio
        slices = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::HOP][:heard]
        spectrum = np.fft.rfft(slices * self._window, axis=1)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        logs = np.log10(np.maximum(power.astype(np.float32, copy=False) @ self._filters, _FLOOR))
        floor = float(logs.max()) - _RANGE if heard else -_RANGE
        silence = max(floor, float(np.log10(_FLOOR)))
        out = np.full((1, frames, self.bins), (silence + 4.0) / 4.0, np.float32)
        out[0, :heard] = (np.maximum(logs, floor) + 4.0) / 4.0
        return out
