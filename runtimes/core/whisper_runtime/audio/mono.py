"""Collects decoded blocks as mono at 16 kHz, and refuses to go on once there is more than is allowed.

The bound holds while decoding: a small file that decodes to hours is refused before it fills the memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import soxr

from whisper_runtime.engine import SAMPLE_RATE, Stop, Waveform, never
from whisper_runtime.errors import AudioEmpty, AudioTooLong, UndecodableAudio

_RATES = range(1_000, 768_001)


class Mono:
    """Takes blocks of one channel at `rate`; `waveform()` gives them all at 16 kHz."""

    def __init__(self, rate: int, max_seconds: float, stop: Stop = never) -> None:
        if rate not in _RATES:
            raise UndecodableAudio(f"a sample rate of {rate} Hz is not one of audio")
        self._rate = rate
        self._taken, self._most = 0, int(max_seconds * rate)
        self._max_seconds = max_seconds
        self._stop = stop
        self._audio = bytearray()  # grows where it is; a list of blocks would be in memory twice once it is joined
        self._resampler: Any = None if rate == SAMPLE_RATE else soxr.ResampleStream(rate, SAMPLE_RATE, 1)

    @property
    def seconds(self) -> float:
        """Of audio, so far."""
        return self._taken / self._rate

    def add(self, block: Waveform) -> None:
        """Take one more block.

        Raises:
            AudioTooLong: it is more than allowed.
            UndecodableAudio: it holds values that are not numbers.
            Whatever `stop` raises, when nobody waits any more.
        """
        self._stop()
        self._taken += len(block)
        if self._taken > self._most:
            raise AudioTooLong(f"the audio is longer than the {self._max_seconds:g} seconds allowed; send it in parts")
        if not np.isfinite(block).all():
            raise UndecodableAudio("the audio holds values that are not numbers", param="file")
        self._take(block if self._resampler is None else self._resampler.resample_chunk(block))

    def _take(self, block: Waveform) -> None:
        self._audio += np.clip(block, -1.0, 1.0, dtype=np.float32).data.cast("B")

    def waveform(self) -> Waveform:
        """Everything taken so far, at 16 kHz.

        Raises:
            AudioEmpty
        """
        if self._resampler is not None:
            self._take(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True))
        audio = np.frombuffer(self._audio, np.float32)
        if not len(audio):
            raise AudioEmpty("the file holds no audio samples", param="file")
        return audio
