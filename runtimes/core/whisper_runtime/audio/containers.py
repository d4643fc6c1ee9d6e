"""Decoding by FFmpeg (PyAV): mp4, m4a, webm, and whatever else people record.

FFmpeg also reads playlists that name other files and addresses; only formats that carry their own audio are let in.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, NoReturn

import av
import av.error
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

from whisper_runtime.audio.mono import Limits, Mono
from whisper_runtime.engine import Waveform
from whisper_runtime.errors import UndecodableAudio, UnsupportedAudio

_FORMATS = "aac,ac3,aiff,amr,ape,asf,au,avi,caf,eac3,flac,flv,matroska,mov,mp3,mpeg,mpegts,ogg,opus,tta,w64,wav,webm,wv"
_OPTIONS = {"format_whitelist": _FORMATS, "protocol_whitelist": ""}
_SIGNATURES = {b"ftyp": (4, "mp4"), b"\x1aE\xdf\xa3": (0, "webm"), b"OggS": (0, "ogg"), b"fLaC": (0, "flac")}
"""By which a file that cannot be opened is still known to be audio: its index may be missing. RIFF: see `decode`."""
_EXACT = frozenset({"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "flac"})
"""Formats that write down how long they are; others' durations are guesses from the bit rate."""
_SLACK_SECONDS, _SLACK = 1.0, 0.01


def decode_container(file: BinaryIO, limits: Limits) -> Waveform:
    """The first audio stream of a container, as mono at 16 kHz.

    Raises:
        AudioEmpty, AudioTooLong, UnsupportedAudio, UndecodableAudio
    """
    with _opened(file) as (container, stream):
        try:
            return _decode(container, stream, limits)
        except av.error.FFmpegError as error:
            message = f"the {container.format.name} file is broken: {error.strerror}"
            raise UndecodableAudio(message, param="file") from error
        except ValueError as error:
            message = f"the {container.format.name} file changes its channels or its rate on the way: {error}"
            raise UndecodableAudio(message, param="file") from error


def promised_by_container(file: BinaryIO) -> float | None:
    """The seconds that a container says it holds; None if it does not say, or only guesses.

    Raises:
        UnsupportedAudio, UndecodableAudio
    """
    with _opened(file) as (container, stream):
        return _promised(container, stream) or None


@contextmanager
def _opened(file: BinaryIO) -> Iterator[tuple[InputContainer, AudioStream]]:
    """The container and the first of its streams that is audio."""
    try:
        # The mode is that of an upload on disk, "w+b", unless told: av would write to it.
        opened = av.open(file, "r", container_options=_OPTIONS, metadata_errors="replace")
    except (av.error.FFmpegError, ValueError) as error:
        _refuse(file, error)
    with opened as container:
        if not container.streams.audio:
            raise UnsupportedAudio("the file has no audio track", param="file")
        yield container, container.streams.audio[0]


def _refuse(file: BinaryIO, error: Exception) -> NoReturn:
    """Tell a broken file from one that is no audio at all."""
    file.seek(0)
    head = file.read(12)
    for signature, (at, name) in _SIGNATURES.items():
        if head.startswith(signature, at):
            message = f"the {name} file is broken or cut off: it cannot even be opened"
            raise UndecodableAudio(message, param="file") from error
    message = "this is not an audio format that can be read here; wav, flac, mp3, m4a, ogg and webm are"
    raise UnsupportedAudio(message, param="file") from error


def _decode(container: InputContainer, stream: AudioStream, limits: Limits) -> Waveform:
    if stream.codec_context is None:
        raise UndecodableAudio("the audio track is in a codec that nobody here knows", param="file")
    rate = stream.rate
    if not rate:
        raise UndecodableAudio("the audio track has no sample rate", param="file")
    convert = av.AudioResampler(format="fltp", layout="mono", rate=rate, frame_size=rate)
    with Mono(rate, limits) as mono:
        for packet in container.demux(stream):
            limits.stop()  # also where packets hold no audio
            for frame in packet.decode():
                _add(mono, convert.resample(frame))
        _add(mono, convert.resample(None))
        _refuse_cut_off(_promised(container, stream), mono.seconds)
        return mono.waveform()


def _add(mono: Mono, frames: list[AudioFrame]) -> None:
    for frame in frames:
        mono.add(frame.to_ndarray()[0])


def _promised(container: InputContainer, stream: AudioStream) -> float:
    """The seconds that the file's own index promises; 0 if it does not."""
    if container.format.name not in _EXACT:
        return 0.0
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    alone = len(container.streams) == 1  # else it may be another track that is so long
    return container.duration / av.time_base if alone and container.duration else 0.0


def _refuse_cut_off(promised: float, got: float) -> None:
    """The missing words would go unnoticed."""
    if got < promised - max(_SLACK_SECONDS, _SLACK * promised):
        message = f"the file is cut off: it promises {promised:.1f} seconds and holds {got:.1f}"
        raise UndecodableAudio(message, param="file")
