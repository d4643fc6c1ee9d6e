"""From bytes to a waveform: libsndfile for what it reads (wav, flac, ogg, mp3 …), FFmpeg for everything else.

Blocks; called in a worker thread. Whatever the bytes are, what comes out is a waveform or one of the contract's errors.
"""

from __future__ import annotations

import os
from typing import BinaryIO

import soundfile

from whisper_runtime.audio.containers import decode_container
from whisper_runtime.audio.mono import Mono
from whisper_runtime.engine import Stop, Waveform, never
from whisper_runtime.errors import AudioEmpty, UndecodableAudio

_BLOCK = 1 << 16
"""Samples of all channels together: a header may promise a thousand channels."""
_SURROUND = range(3, 9)
"""Channels of which one is in the middle, where people speak: FFmpeg knows which, and their mean would drown it."""
_UNKNOWN_SIZES = (0, 0x7FFFF000)
"""RIFF sizes at or above the second, or equal to the first, are what programs write that stream to a pipe."""


def decode(file: BinaryIO, max_seconds: float, stop: Stop = never) -> Waveform:
    """The whole file as mono at 16 kHz; asks `stop` at every block.

    Raises:
        AudioEmpty, AudioTooLong, UnsupportedAudio, UndecodableAudio
    """
    size = file.seek(0, os.SEEK_END)
    if not size:
        raise AudioEmpty("the file is empty: not one byte of audio arrived", param="file")
    file.seek(0)
    _refuse_cut_off(file.read(12), size)
    file.seek(0)
    try:
        sound = soundfile.SoundFile(file)
    except soundfile.LibsndfileError:
        file.seek(0)
        return decode_container(file, max_seconds, stop)
    with sound:
        if sound.channels not in _SURROUND:
            return _read(sound, max_seconds, stop)
    file.seek(0)
    return decode_container(file, max_seconds, stop)


def _refuse_cut_off(head: bytes, size: int) -> None:
    """Libsndfile reads what there is of a truncated wav; the missing words would go unnoticed."""
    claimed = int.from_bytes(head[4:8], "little")
    streamed = claimed == _UNKNOWN_SIZES[0] or claimed >= _UNKNOWN_SIZES[1]
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE" and not streamed and claimed + 8 > size + 1:
        message = f"the wav file is cut off: its header promises {claimed + 8} bytes and {size} arrived"
        raise UndecodableAudio(message, param="file")


def _read(sound: soundfile.SoundFile, max_seconds: float, stop: Stop) -> Waveform:
    mono = Mono(sound.samplerate, max_seconds, stop)
    expected, got = sound.frames, 0
    try:
        for block in sound.blocks(max(1, _BLOCK // sound.channels), dtype="float32", always_2d=True):
            mono.add(block[:, 0] if block.shape[1] == 1 else block.mean(axis=1))
            got += len(block)
    except soundfile.LibsndfileError as error:
        raise UndecodableAudio(f"the {sound.format} file is broken: {error}", param="file") from error
    if sound.format == "FLAC" and got < expected:
        raise UndecodableAudio(f"the flac file is cut off after {got} of {expected} samples", param="file")
    return mono.waveform()
