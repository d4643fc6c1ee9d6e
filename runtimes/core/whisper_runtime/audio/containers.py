"""Decoding by FFmpeg (PyAV): mp4, m4a, webm, and whatever else people record.

FFmpeg also reads playlists that name other files and addresses; only formats that carry their own audio are let in.
"""

from __future__ import annotations

from typing import BinaryIO, cast

import av
import av.error
from av.audio.frame import AudioFrame
from av.container import InputContainer

from whisper_runtime.audio.mono import Mono
from whisper_runtime.engine import Stop, Waveform, never
from whisper_runtime.errors import UndecodableAudio, UnsupportedAudio

_FORMATS = "aac,ac3,aiff,amr,ape,asf,au,avi,caf,eac3,flac,flv,matroska,mov,mp3,mpeg,mpegts,ogg,opus,tta,w64,wav,webm,wv"
_OPTIONS = {"format_whitelist": _FORMATS, "protocol_whitelist": ""}


def decode_container(file: BinaryIO, max_seconds: float, stop: Stop = never) -> Waveform:
    """The first audio stream of a container, as mono at 16 kHz."""
    try:
        container = cast("InputContainer", av.open(file, container_options=_OPTIONS))
    except (av.error.FFmpegError, ValueError) as error:
        message = "this is not an audio format that can be read here; wav, flac, mp3, m4a, ogg and webm are"
        raise UnsupportedAudio(message, param="file") from error
    with container:
        if not container.streams.audio:
            raise UnsupportedAudio("the file has no audio track", param="file")
        try:
            return _decode(container, max_seconds, stop)
        except (av.error.FFmpegError, ValueError) as error:
            raise UndecodableAudio(f"the {container.format.name} file is broken: {error}", param="file") from error


def _decode(container: InputContainer, max_seconds: float, stop: Stop) -> Waveform:
    stream = container.streams.audio[0]
    rate = stream.rate
    if not rate:
        raise UndecodableAudio("the audio track has no sample rate", param="file")
    mono = Mono(rate, max_seconds, stop)
    convert = av.AudioResampler(format="fltp", layout="mono", rate=rate)
    for frame in container.decode(stream):
        _add(mono, convert.resample(frame))
    _add(mono, convert.resample(None))
    return mono.waveform()


def _add(mono: Mono, frames: list[AudioFrame]) -> None:
    for frame in frames:
        mono.add(frame.to_ndarray()[0])
