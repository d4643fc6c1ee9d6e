"""Speech of which everything is known: espeak-ng's own library says a text, and tells when it begins each word."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import espeakng_loader
import numpy as np
import soxr
from whisper_runtime.engine import SAMPLE_RATE, Waveform

_SYNCHRONOUS, _PHONEME_EVENTS, _DO_NOT_EXIT = 2, 0x0001, 0x8000
_UTF8, _CHARACTERS = 1, 1
_RATE, _PITCH = 1, 3
_END_OF_LIST, _WORD, _PHONEME = 0, 1, 7
_PAUSES = (b"_:", b"_")


class _Event(ctypes.Structure):
    """espeak_EVENT of its speak_lib.h; positions are characters from 1, `sample` counts from the start."""

    _fields_ = [
        ("kind", ctypes.c_int),
        ("identifier", ctypes.c_uint),
        ("position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("milliseconds", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("phoneme", ctypes.c_char * 8),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word of the text, and the seconds in which it is said."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Speech:
    """Audio at 16 kHz, and its words."""

    audio: Waveform
    words: tuple[SpokenWord, ...]


@dataclass(slots=True)
class _Said:
    """What the library has called back with so far."""

    pieces: list[np.ndarray[Any, Any]] = field(default_factory=list)
    words: list[tuple[int, int, int]] = field(default_factory=list)
    """The first character, how many, and the sample at which it begins."""
    pauses: list[int] = field(default_factory=list)
    """The sample at which each begins."""

    def take(self, samples: Any, count: int, events: Any) -> int:
        if count:
            self.pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        i = 0
        while events[i].kind != _END_OF_LIST:
            event = events[i]
            if event.kind == _WORD:
                self.words.append((event.position - 1, event.length, event.sample))
            elif event.kind == _PHONEME and event.phoneme in _PAUSES:
                self.pauses.append(event.sample)
            i += 1
        return 0


_lock = threading.Lock()


@contextmanager
def _library() -> Iterator[tuple[ctypes.CDLL, int]]:
    """The library, and the rate of what it says.

    Loaded anew for each text: a voice wavers on from where the last one ended, and no call sets that back, so what one
    test hears would depend on what those before it had said.
    """
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    try:
        data = espeakng_loader.get_data_path().encode()
        rate = library.espeak_Initialize(_SYNCHRONOUS, 0, data, _PHONEME_EVENTS | _DO_NOT_EXIT)
        if rate <= 0:
            raise OSError(f"espeak-ng does not start with the data in {data.decode()}: {rate}")
        yield library, rate
    finally:
        library.espeak_Terminate()
        ctypes.CDLL(None).dlclose(ctypes.c_void_p(library._handle))


@cache
def speak(text: str, voice: str = "en-us", *, words_a_minute: int = 160, pitch: int = 50) -> Speech:
    """The text said by one of espeak-ng's voices (`en-us`, `en+f3`, `de` …), and when each word of it is.

    Write numbers out: of "1996" the library makes several words. A word ends where the next begins, or a pause.
    """
    said = _Said()
    with _lock, _library() as (library, rate):
        library.espeak_SetSynthCallback(call_back := _Callback(said.take))
        if library.espeak_SetVoiceByName(voice.encode()):
            raise ValueError(f"espeak-ng has no voice {voice!r}")
        library.espeak_SetParameter(_RATE, words_a_minute, 0)
        library.espeak_SetParameter(_PITCH, pitch, 0)
        data = text.encode()
        size = ctypes.c_size_t(len(data) + 1)
        if library.espeak_Synth(data, size, 0, _CHARACTERS, 0, _UTF8, None, None):
            raise ValueError(f"espeak-ng cannot say {text!r}")
        del call_back
    samples = np.concatenate(said.pieces).astype(np.float32) / 32768
    audio: Waveform = soxr.resample(samples, rate, SAMPLE_RATE)
    return Speech(audio, tuple(_words(text, said, len(samples), rate)))


def _words(text: str, said: _Said, samples: int, rate: int) -> list[SpokenWord]:
    marks = sorted({*(start for _, _, start in said.words), *said.pauses, samples})
    return [
        SpokenWord(text[at : at + length], start / rate, next(mark for mark in marks if mark > start) / rate)
        for at, length, start in said.words
    ]
