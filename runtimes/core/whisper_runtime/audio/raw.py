"""Audio without a container, as JSON requests carry it: base64 of bare samples, or of a whole file."""

from __future__ import annotations

import base64
import binascii
import io
from typing import Literal

import numpy as np

from whisper_runtime.audio.decode import decode
from whisper_runtime.audio.mono import Mono
from whisper_runtime.engine import Waveform
from whisper_runtime.errors import AudioEmpty, InvalidRequest, UndecodableAudio

Encoding = Literal["container", "pcm_s16le", "float32"]
_BYTES = {"pcm_s16le": 2, "float32": 4}


def from_base64(text: str) -> bytes:
    """The bytes behind base64, whitespace and a `data:` prefix allowed."""
    body = "".join((text.split(",", 1)[1] if text.startswith("data:") and "," in text else text).split())
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest(f"audio_data is not base64: {error}", param="audio_data") from error


def decode_bytes(data: bytes, encoding: Encoding, rate: int, max_seconds: float) -> Waveform:
    """The waveform of bare samples (`pcm_s16le`, `float32`, mono) or of a file in memory (`container`)."""
    if not data:
        raise AudioEmpty("the request holds no audio", param="audio_data")
    if encoding == "container":
        return decode(io.BytesIO(data), max_seconds)
    if len(data) % _BYTES[encoding]:
        message = f"{len(data)} bytes are not a whole number of {encoding} samples"
        raise UndecodableAudio(message, param="audio_data")
    mono = Mono(rate, max_seconds)
    if encoding == "float32":
        mono.add(np.frombuffer(data, "<f4").astype(np.float32))
    else:
        mono.add(np.frombuffer(data, "<i2").astype(np.float32) / 32768.0)
    return mono.waveform()
