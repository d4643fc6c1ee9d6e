"""From bytes to a waveform: libsndfile for what it reads (wav, flac, ogg, mp3 …), FFmpeg for everything else.

Blocks; called in a worker thread. Whatever the bytes are, what comes out is a waveform or one of the contract's errors.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import soundfile

from whisper_runtime.audio.containers import decode_container, promised_by_container
from whisper_runtime.audio.mono import Block, Limits, Mono, floats
from whisper_runtime.engine import Waveform
from whisper_runtime.errors import AudioEmpty, UndecodableAudio

_READ = 1 << 18
"""Samples of all channels together: a header may promise a thousand. Each reading costs calls back into Python."""
_BLOCK = 1 << 15
"""Samples of them that are worked on at once: what is made of so few stays in a processor's own cache."""
_SURROUND = range(3, 9)
"""Channels of which one is in the middle, where people speak: FFmpeg knows which, and their mean would drown it."""
_UNKNOWN_SIZES = (0, 0x7FFFF000)
"""RIFF sizes at or above the second, or equal to the first, are what programs write that stream to a pipe."""

_UNENDING = 1 << 62
"""Frames: what libsndfile makes of a FLAC that does not say how long it is, and cannot read then."""


def decode(file: BinaryIO, limits: Limits) -> Waveform:
    """The whole file as mono at 16 kHz.

    Raises:
        AudioEmpty, AudioTooLong, UnsupportedAudio, UndecodableAudio, QueueFull
    """
    sound = _by_libsndfile(file)
    if sound is None:
        return decode_container(file, limits)
    with sound:
        return _read(sound, limits)


def promised(file: BinaryIO) -> float | None:
    """The seconds that the file says it holds; None if it does not say. Reads no more than its head and its index.

    Raises:
        AudioEmpty, UnsupportedAudio, UndecodableAudio: as `decode` would.
    """
    sound = _by_libsndfile(file)
    if sound is None:
        return promised_by_container(file)
    with sound:
        return sound.frames / sound.samplerate if sound.samplerate else None


def _by_libsndfile(file: BinaryIO) -> soundfile.SoundFile | None:
    """The open file, or None where FFmpeg must read it, from its beginning."""
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
        return None
    if sound.channels not in _SURROUND and sound.frames < _UNENDING:
        return sound
    sound.close()
    file.seek(0)
    return None


def _refuse_cut_off(head: bytes, size: int) -> None:
    """Libsndfile reads what there is of a truncated wav; the missing words would go unnoticed."""
    claimed = int.from_bytes(head[4:8], "little")
    streamed = claimed == _UNKNOWN_SIZES[0] or claimed >= _UNKNOWN_SIZES[1]
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE" and not streamed and claimed + 8 > size + 1:
        message = f"the wav file is cut off: its header promises {claimed + 8} bytes and {size} arrived"
        raise UndecodableAudio(message, param="file")


def _blocks(sound: soundfile.SoundFile) -> Iterator[Block]:
    """(samples, channels), each good until the next.

    16 bits are read as they are: libsndfile takes ten times as long as numpy to make the same numbers of them.
    """
    shape = (max(1, _READ // sound.channels), sound.channels)
    buffer: Block = np.empty(shape, np.int16) if sound.subtype == "PCM_16" else np.empty(shape, np.float32)
    at_once, left = max(1, _BLOCK // sound.channels), sound.frames
    while left > 0 and len(read := sound.read(out=buffer)):
        left -= len(read)
        for at in range(0, len(read), at_once):
            yield read[at : at + at_once]


def _mixed(block: Block) -> Block:
    """Its one channel as it is, or the mean of all."""
    return block[:, 0] if block.shape[1] == 1 else floats(block).mean(axis=1)


def _read(sound: soundfile.SoundFile, limits: Limits) -> Waveform:
    expected, got = sound.frames, 0
    with Mono(sound.samplerate, limits) as mono:
        try:
            for block in _blocks(sound):
                mono.add(_mixed(block))
                got += len(block)
        except soundfile.LibsndfileError as error:
            raise UndecodableAudio(f"the {sound.format} file is broken: {error}", param="file") from error
        if sound.format == "FLAC" and got < expected:
            raise UndecodableAudio(f"the flac file is cut off after {got} of {expected} samples", param="file")
        return mono.waveform()
