"""Takes decoded blocks as mono at 16 kHz, and refuses to go on once there is more than is allowed.

The bound holds while decoding: a small file that decodes to hours is refused before it fills the memory or the disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, cast

import numpy as np
import numpy.typing as npt
import soxr

from whisper_runtime.audio.samples import Keep, Samples, anywhere
from whisper_runtime.engine import SAMPLE_RATE, Stop, Waveform, never
from whisper_runtime.errors import AudioEmpty, AudioTooLong, UndecodableAudio

_RATES = range(1_000, 768_001)
_SIXTEEN_BITS = np.float32(1 / 32768)

Block = Waveform | npt.NDArray[np.int16]
"""Samples as they are read: floats, or 16 bits."""


def floats(block: Block) -> Waveform:
    """From -1 to 1, if the file keeps to it."""
    return cast("Waveform", block * _SIXTEEN_BITS if block.dtype == np.int16 else block)


@dataclass(frozen=True, slots=True)
class Limits:
    """What decoding one file may take."""

    seconds: float
    """Of audio."""
    stop: Stop = never
    """Asked at every block."""
    keep: Keep = anywhere
    """Told of what goes to disk."""

    def too_long(self) -> AudioTooLong:
        """What a caller is told whose file lasts longer."""
        return AudioTooLong(f"the audio is longer than the {self.seconds:g} seconds allowed; send it in parts")


class Mono:
    """Takes blocks of one channel at `rate`; `waveform()` gives them all at 16 kHz, also after its end as a context."""

    def __init__(self, rate: int, limits: Limits) -> None:
        if rate not in _RATES:
            raise UndecodableAudio(f"a sample rate of {rate} Hz is not one of audio")
        self._rate, self._limits = rate, limits
        self._taken, self._most = 0, int(limits.seconds * rate)
        self._samples = Samples(limits.keep)
        self._resampler: Any = None if rate == SAMPLE_RATE else soxr.ResampleStream(rate, SAMPLE_RATE, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._samples.close()

    @property
    def seconds(self) -> float:
        """Of audio, so far."""
        return self._taken / self._rate

    def add(self, block: Block) -> None:
        """Take one more block.

        Raises:
            AudioTooLong: it is more than allowed.
            UndecodableAudio: it holds values that are not numbers.
            QueueFull: there is no room on disk.
            Whatever `stop` raises, when nobody waits any more.
        """
        self._limits.stop()
        self._taken += len(block)
        if self._taken > self._most:
            raise self._limits.too_long()
        made = floats(block)
        if block.dtype == np.int16 and self._resampler is None:
            self._samples.add(made)  # 16 bits hold nothing that is no number or too large
            return
        if not np.isfinite(made).all():
            raise UndecodableAudio("the audio holds values that are not numbers", param="file")
        self._take(made if self._resampler is None else self._resampler.resample_chunk(made))

    def _take(self, block: Waveform) -> None:
        self._samples.add(np.clip(block, -1.0, 1.0, dtype=np.float32))

    def waveform(self) -> Waveform:
        """Everything taken so far, at 16 kHz.

        Raises:
            AudioEmpty
        """
        if self._resampler is not None:
            self._take(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True))
        audio = self._samples.array()
        if not len(audio):
            raise AudioEmpty("the file holds no audio samples", param="file")
        return audio
