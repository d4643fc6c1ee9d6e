"""Audio without a container, as JSON requests carry it: base64 of bare samples, or of a whole file."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterator
from typing import BinaryIO, Literal

import numpy as np

from whisper_runtime.audio.decode import decode
from whisper_runtime.audio.mono import Block, Limits, Mono
from whisper_runtime.engine import Waveform
from whisper_runtime.errors import AudioEmpty, InvalidRequest, UndecodableAudio

Encoding = Literal["container", "pcm_s16le", "float32"]
_BYTES = {"pcm_s16le": 2, "float32": 4}
_PIECE = 1 << 18
"""Bytes taken at once, whole samples in every encoding. Decoding base64 keeps every other thread waiting: in pieces,
nobody waits for long."""


def from_base64(text: str) -> Iterator[bytes]:
    """The bytes behind base64, piece by piece; whitespace and a `data:` prefix are allowed."""
    rest, ended = "", False
    for at in range(text.find(",") + 1 if text.startswith("data:") else 0, len(text), _PIECE):
        piece = rest + "".join(text[at : at + _PIECE].split())
        if ended and piece:
            raise InvalidRequest("audio_data is not base64: it goes on after its end", param="audio_data")
        whole = len(piece) - len(piece) % 4
        yield _decoded(piece[:whole])
        rest, ended = piece[whole:], piece[:whole].endswith("=")
    yield _decoded(rest)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest(f"audio_data is not base64: {error}", param="audio_data") from error


def decode_raw(file: BinaryIO, encoding: Encoding, rate: int, limits: Limits) -> Waveform:
    """The waveform of bare samples (`pcm_s16le`, `float32`, mono) or of a file in a format (`container`)."""
    if encoding == "container":
        return decode(file, limits)
    size = file.seek(0, os.SEEK_END)
    if not size:
        raise AudioEmpty("the request holds no audio", param="audio_data")
    if size % _BYTES[encoding]:
        message = f"{size} bytes are not a whole number of {encoding} samples"
        raise UndecodableAudio(message, param="audio_data")
    file.seek(0)
    with Mono(rate, limits) as mono:
        while data := file.read(_PIECE):
            mono.add(_samples(data, encoding))
        return mono.waveform()


def _samples(data: bytes, encoding: Encoding) -> Block:
    if encoding == "float32":
        return np.frombuffer(data, "<f4").astype(np.float32)
    return np.frombuffer(data, "<i2").astype(np.int16, copy=False)
