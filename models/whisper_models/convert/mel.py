"""The bank of mel filters that Whisper was trained with, to the last bit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_FFT = 400
_RATE = 16_000
_LINEAR_UP_TO = 1000.0
_HERTZ_PER_MEL = 200 / 3
_MELS_PER_NATURAL_LOG = 27 / np.log(6.4)


def mel_filters(bins: int) -> NDArray[np.float32]:
    """Triangular filters (bins, 201) on Slaney's mel scale, each of area one.

    Rounded to float32 before and after the scaling, as librosa does it, which wrote the filters that were published.
    """
    frequencies = np.linspace(0, _RATE / 2, _FFT // 2 + 1)
    corners = _hertz(np.linspace(0, _mel_of_nyquist(), bins + 2))
    low, centre, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    rising, falling = (frequencies - low) / (centre - low), (high - frequencies) / (high - centre)
    triangles = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    return np.asarray(triangles * (2 / (high - low)), np.float32)


def _mel_of_nyquist() -> float:
    return float(_LINEAR_UP_TO / _HERTZ_PER_MEL + np.log(_RATE / 2 / _LINEAR_UP_TO) * _MELS_PER_NATURAL_LOG)


def _hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    knee = _LINEAR_UP_TO / _HERTZ_PER_MEL
    return np.where(mels < knee, mels * _HERTZ_PER_MEL, _LINEAR_UP_TO * np.exp((mels - knee) / _MELS_PER_NATURAL_LOG))
