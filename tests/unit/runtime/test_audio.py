"""Every kind of file becomes the same waveform, or one of the contract's errors."""

import base64
import io
from fractions import Fraction
from typing import cast

import av
import numpy as np
import pytest
import soundfile
from av.audio.stream import AudioStream
from whisper_runtime.audio.decode import decode
from whisper_runtime.audio.raw import decode_raw, from_base64
from whisper_runtime.engine import SAMPLE_RATE, Waveform
from whisper_runtime.errors import (
    AudioEmpty,
    AudioTooLong,
    InvalidRequest,
    RequestFailure,
    UndecodableAudio,
    UnsupportedAudio,
)

from tests.support.words import JFK

HOUR = 3600.0


def tone(rate: int = SAMPLE_RATE, seconds: float = 1.0) -> Waveform:
    return np.asarray(0.5 * np.sin(2 * np.pi * 440 * np.arange(int(rate * seconds)) / rate), np.float32)


def sound(audio: Waveform, rate: int, form: str, subtype: str | None = None) -> io.BytesIO:
    file = io.BytesIO()
    soundfile.write(file, audio, rate, format=form, subtype=subtype)
    file.seek(0)
    return file


def container(codec: str, form: str, rate: int) -> io.BytesIO:
    """A file as FFmpeg writes it, with a second of a tone."""
    file = io.BytesIO()
    with av.open(file, "w", format=form) as output:
        stream = cast("AudioStream", output.add_stream(codec, rate=rate))
        frame = av.AudioFrame.from_ndarray(tone(rate)[None], format="fltp", layout="mono")
        frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=rate, frame_size=stream.frame_size)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(piece))
        output.mux(stream.encode(None))
    file.seek(0)
    return file


def pitch(audio: Waveform) -> float:
    return float(np.abs(np.fft.rfft(audio)).argmax() * SAMPLE_RATE / len(audio))


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize(("form", "subtype"), [("WAV", "PCM_16"), ("WAV", "FLOAT"), ("FLAC", None), ("OGG", None)])
def test_what_libsndfile_reads_comes_out_at_16_khz(form: str, subtype: str | None, rate: int) -> None:
    audio = decode(sound(tone(rate), rate, form, subtype), HOUR)
    assert abs(len(audio) - SAMPLE_RATE) < 200
    assert pitch(audio) == pytest.approx(440, abs=2)


@pytest.mark.parametrize(
    ("codec", "form"), [("aac", "mp4"), ("aac", "adts"), ("libopus", "webm"), ("libmp3lame", "mp3")]
)
def test_what_ffmpeg_reads_comes_out_at_16_khz(codec: str, form: str) -> None:
    audio = decode(container(codec, form, 48000), HOUR)
    assert abs(len(audio) - SAMPLE_RATE) < 2000
    assert pitch(audio) == pytest.approx(440, abs=3)


def test_channels_are_mixed() -> None:
    stereo = np.stack([tone(), -tone()], axis=1)
    assert np.abs(decode(sound(stereo, SAMPLE_RATE, "WAV"), HOUR)).max() < 1e-3


BROKEN = [
    ("nothing", b"", AudioEmpty),
    ("text", b"hello, this is text, not audio\n" * 20, UnsupportedAudio),
    ("a picture", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, UnsupportedAudio),
    ("noise", np.random.default_rng(1).bytes(200_000), UnsupportedAudio),
    ("a playlist that names a local file", b"#EXTM3U\n#EXTINF:9,\nfile:///etc/hostname\n", UnsupportedAudio),
    ("a concat script", b"ffconcat version 1.0\nfile '/etc/hostname'\n", UnsupportedAudio),
    ("a wav cut in half", JFK.read_bytes()[:150_000], UndecodableAudio),
    ("a wav cut in its header", JFK.read_bytes()[:30], UndecodableAudio),
    ("a wav without samples", sound(tone()[:0], SAMPLE_RATE, "WAV").getvalue(), AudioEmpty),
    ("a flac cut in half", sound(tone(seconds=5), SAMPLE_RATE, "FLAC").getvalue()[:20_000], UndecodableAudio),
    ("an mp4 without its index", container("aac", "mp4", 48000).getvalue()[:6000], RequestFailure),
]


@pytest.mark.parametrize(("data", "error"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_what_is_not_audio_is_refused_by_its_kind(data: bytes, error: type[RequestFailure]) -> None:
    with pytest.raises(error):
        decode(io.BytesIO(data), HOUR)


def test_a_wav_that_was_streamed_has_no_size_and_is_read_to_its_end() -> None:
    data = bytearray(sound(tone(), SAMPLE_RATE, "WAV").getvalue())
    assert data[36:40] == b"data"
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    assert len(decode(io.BytesIO(bytes(data)), HOUR)) == SAMPLE_RATE


@pytest.mark.parametrize("form", ["FLAC", "OGG"])
def test_decoding_stops_at_the_longest_allowed(form: str) -> None:
    with pytest.raises(AudioTooLong, match="3 seconds"):
        decode(sound(tone(seconds=4), SAMPLE_RATE, form), 3)


def test_a_container_is_bounded_too() -> None:
    with pytest.raises(AudioTooLong):
        decode(container("libopus", "webm", 48000), 0.5)


def test_bare_samples_are_taken_at_their_rate() -> None:
    pcm = (tone(8000) * 32767).astype("<i2").tobytes()
    audio = decode_raw(io.BytesIO(pcm), "pcm_s16le", 8000, HOUR)
    assert pitch(audio) == pytest.approx(440, abs=2)
    assert np.allclose(decode_raw(io.BytesIO(tone().tobytes()), "float32", SAMPLE_RATE, HOUR), tone())


@pytest.mark.parametrize(
    ("data", "encoding", "error"),
    [
        (b"", "pcm_s16le", AudioEmpty),
        (b"abc", "pcm_s16le", UndecodableAudio),
        (np.array([np.nan] * 9, "<f4").tobytes(), "float32", UndecodableAudio),
    ],
)
def test_bare_samples_that_cannot_be_are_refused(data: bytes, encoding: str, error: type[RequestFailure]) -> None:
    with pytest.raises(error):
        decode_raw(io.BytesIO(data), encoding, SAMPLE_RATE, HOUR)  # type: ignore[arg-type]  # one of the literals above


def test_base64_is_read_strictly_but_for_whitespace_and_data_urls() -> None:
    text = base64.b64encode(b"audio").decode()
    assert b"".join(from_base64(f"data:audio/wav;base64,{text[:4]}\n{text[4:]}")) == b"audio"
    for wrong in ("%%%", "abc", "ä", "QQ==QQ==", "data:no,comma=", "Q" * (1 << 18) + "=QQQ"):
        with pytest.raises(InvalidRequest):
            list(from_base64(wrong))


@pytest.mark.parametrize("line", [76, 1000, 10**7])
def test_long_base64_comes_in_pieces_wherever_its_lines_break(line: int) -> None:
    data = np.random.default_rng(0).bytes(1_000_001)
    text = base64.b64encode(data).decode()
    pieces = list(from_base64("\n".join(text[at : at + line] for at in range(0, len(text), line))))
    assert b"".join(pieces) == data
    assert max(map(len, pieces)) < 200_000
