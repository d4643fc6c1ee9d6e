"""Sound in whatever people record it in, made by FFmpeg and libsndfile when a test asks for it."""

from __future__ import annotations

import io
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import numpy.typing as npt
import soundfile
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream

Samples = npt.NDArray[np.float32]
_SIDE, _PICTURES = 64, 10


@dataclass(frozen=True, slots=True)
class Kind:
    """A codec in a container, with a picture if that has one."""

    name: str
    form: str
    codec: str
    video: str | None = None
    options: tuple[tuple[str, str], ...] = ()


FFMPEG = (
    Kind("m4a", "ipod", "aac"),
    Kind("aac", "adts", "aac"),
    Kind("mp3", "mp3", "libmp3lame"),
    Kind("opus", "ogg", "libopus"),
    Kind("webm", "webm", "libopus"),
    Kind("webm with a picture", "webm", "libopus", "libvpx"),
    Kind("mp4 with a picture", "mp4", "aac", "mpeg4"),
    Kind("mp4 for streaming", "mp4", "aac", "mpeg4", (("movflags", "faststart"),)),
    Kind("mp4 in fragments", "mp4", "aac", "mpeg4", (("movflags", "frag_keyframe+empty_moov"),)),
    Kind("mov", "mov", "pcm_s16le", "mpeg4"),
    Kind("mkv", "matroska", "flac"),
)
LIBSNDFILE = (
    ("wav", "WAV", "PCM_16"),
    ("wav of 24 bits", "WAV", "PCM_24"),
    ("wav of floats", "WAV", "FLOAT"),
    ("flac", "FLAC", "PCM_16"),
    ("ogg", "OGG", "VORBIS"),
    ("aiff", "AIFF", "PCM_16"),
)


def by_libsndfile(audio: Samples, rate: int, form: str, subtype: str) -> bytes:
    """A file; `audio` has one row for each sample and one column for each channel, or no columns."""
    file = io.BytesIO()
    soundfile.write(file, audio, rate, format=form, subtype=subtype)
    return file.getvalue()


def by_ffmpeg(audio: Samples, rate: int, kind: Kind, *, layout: str = "mono", seconds: float | None = None) -> bytes:
    """A file with the same in every channel; `seconds` of a picture, as long as the sound unless told otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"  # one in memory cannot be gone over a second time, as `faststart` does
        with av.open(str(path), "w", format=kind.form, options=dict(kind.options)) as output:
            stream = cast("AudioStream", output.add_stream(kind.codec, rate=rate, layout=layout))
            if kind.video is not None:
                _show(output, kind.video, len(audio) / rate if seconds is None else seconds)
            _sound(output, stream, audio, rate, layout)
        return path.read_bytes()


def _sound(output: OutputContainer, stream: AudioStream, audio: Samples, rate: int, layout: str) -> None:
    frame = av.AudioFrame.from_ndarray(audio[None], format="fltp", layout="mono")
    frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), 0
    # A whole number of a codec's frames at a time; 0 where a codec takes any.
    resampler = av.AudioResampler(format=stream.format, layout=layout, rate=rate, frame_size=stream.frame_size or 1024)
    for piece in [*resampler.resample(frame), *resampler.resample(None)]:
        output.mux(stream.encode(piece))
    output.mux(stream.encode(None))


def _show(output: OutputContainer, codec: str, seconds: float) -> None:
    stream = cast("VideoStream", output.add_stream(codec, rate=_PICTURES))
    stream.width = stream.height = _SIDE
    stream.pix_fmt = "yuv420p"
    for i in range(round(seconds * _PICTURES)):
        picture: Any = np.full((_SIDE, _SIDE, 3), i % 256, np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = i, Fraction(1, _PICTURES)
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))
