"""Every kind of file becomes the same waveform, or one of the contract's errors."""

import base64
import io
import struct
import tracemalloc
from pathlib import Path
from random import Random

import av
import numpy as np
import pytest
import soundfile
from whisper_runtime.audio.decode import decode, promised
from whisper_runtime.audio.mono import Limits
from whisper_runtime.audio.raw import decode_raw, from_base64
from whisper_runtime.audio.samples import Samples
from whisper_runtime.engine import SAMPLE_RATE, Waveform
from whisper_runtime.errors import (
    AudioEmpty,
    AudioTooLong,
    InvalidRequest,
    QueueFull,
    RequestFailure,
    UndecodableAudio,
    UnsupportedAudio,
)
from whisper_runtime.serving.scratch import Scratch
from whisper_runtime.serving.stop import Cancelled, StopFlag

from tests.support.media import FFMPEG, LIBSNDFILE, Kind, by_ffmpeg, by_libsndfile
from tests.support.words import JFK

HOUR = Limits(3600.0)


def tone(rate: int = SAMPLE_RATE, seconds: float = 1.0) -> Waveform:
    return np.asarray(0.5 * np.sin(2 * np.pi * 440 * np.arange(int(rate * seconds)) / rate), np.float32)


def file(data: bytes) -> io.BytesIO:
    return io.BytesIO(data)


def film() -> bytes:
    """A picture without sound."""
    made = io.BytesIO()
    with av.open(made, "w", format="mp4") as output:
        stream = output.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        output.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        output.mux(stream.encode(None))
    return made.getvalue()


def pitch(audio: Waveform) -> float:
    return float(np.abs(np.fft.rfft(audio)).argmax() * SAMPLE_RATE / len(audio))


@pytest.mark.parametrize("form", ["WAV", "FLAC", "AIFF"])
@pytest.mark.parametrize("channels", [1, 2])
def test_16_bits_become_the_very_numbers_that_libsndfile_makes_of_them(form: str, channels: int) -> None:
    every = np.tile(np.arange(-(1 << 15), 1 << 15, dtype=np.int16)[:, None], (5, channels))
    made = io.BytesIO()
    soundfile.write(made, every, SAMPLE_RATE, "PCM_16", format=form)
    made.seek(0)
    expected = soundfile.read(made, dtype="float32", always_2d=True)[0].mean(axis=1)
    np.testing.assert_array_equal(decode(made, HOUR), expected)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize(("form", "subtype"), [kind[1:] for kind in LIBSNDFILE], ids=[kind[0] for kind in LIBSNDFILE])
def test_what_libsndfile_reads_comes_out_at_16_khz(form: str, subtype: str, rate: int) -> None:
    audio = decode(file(by_libsndfile(tone(rate), rate, form, subtype)), HOUR)
    assert abs(len(audio) - SAMPLE_RATE) < 200
    assert pitch(audio) == pytest.approx(440, abs=2)


@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1"])
@pytest.mark.parametrize("rate", [8000, 44100, 48000])
@pytest.mark.parametrize("kind", FFMPEG, ids=lambda kind: kind.name)
def test_what_ffmpeg_reads_comes_out_at_16_khz(kind: Kind, rate: int, layout: str) -> None:
    if kind.codec == "libopus" and rate == 44100:
        rate = 24000  # opus has no such rate
    if kind.codec == "libmp3lame" and layout == "5.1":
        layout = "stereo"  # mp3 has no more channels
    audio = decode(file(by_ffmpeg(tone(rate), rate, kind, layout=layout)), HOUR)
    assert audio.dtype == np.float32
    assert abs(len(audio) - SAMPLE_RATE) < 2500
    assert pitch(audio) == pytest.approx(440, abs=3)
    assert 0.3 < np.abs(audio).max() <= 1


@pytest.mark.parametrize("channels", [2, 1000])
def test_channels_are_mixed(channels: int) -> None:
    each = np.stack([tone() if i % 2 else -tone() for i in range(channels)], axis=1)
    assert np.abs(decode(file(by_libsndfile(each, SAMPLE_RATE, "WAV", "PCM_16")), HOUR)).max() < 1e-3


@pytest.mark.parametrize("form", ["WAV", "FLAC"])
def test_what_is_said_in_the_middle_of_six_channels_is_not_drowned(form: str) -> None:
    middle = np.stack([tone() if channel == 2 else 0 * tone() for channel in range(6)], axis=1)
    audio = decode(file(by_libsndfile(middle, SAMPLE_RATE, form, "PCM_16")), HOUR)
    assert np.abs(audio).max() > 0.3


def test_minutes_in_a_small_file_take_the_memory_of_its_samples_and_little_more() -> None:
    rate, minutes = 48_000, 6
    small = by_libsndfile(np.zeros((rate * 60 * minutes, 2), np.float32), rate, "FLAC", "PCM_16")
    tracemalloc.start()
    try:
        audio = decode(file(small), HOUR)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert audio.nbytes == 4 * SAMPLE_RATE * 60 * minutes
    assert len(small) < audio.nbytes / 50
    assert peak < 1.25 * audio.nbytes


def test_hours_take_disk_and_not_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    hours = io.BytesIO()
    minute = np.zeros(60 * SAMPLE_RATE, np.int16)
    with soundfile.SoundFile(hours, "w", SAMPLE_RATE, 1, "PCM_16", format="FLAC") as out:
        for _ in range(120):
            out.write(minute)
    told: list[int] = []
    tracemalloc.start()
    try:
        audio = decode(hours, Limits(7200.0, keep=told.append))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(audio) == 7200 * SAMPLE_RATE
    assert peak < audio.nbytes / 8
    assert sum(told) == audio.nbytes
    assert list(tmp_path.iterdir()) == [], "its file has no name, so that nothing is left behind"


def test_audio_for_which_there_is_no_room_on_disk_is_refused_while_it_is_decoded() -> None:
    scratch = Scratch(30 << 20)
    small = by_libsndfile(np.zeros(SAMPLE_RATE * 60 * 10, np.float32), SAMPLE_RATE, "FLAC", "PCM_16")
    with scratch.hold(), scratch.hold() as mine:
        with pytest.raises(QueueFull):
            decode(file(small), Limits(3600, keep=mine.take))
        assert scratch.held <= scratch.capacity


def test_what_is_on_disk_is_what_was_decoded() -> None:
    rng = np.random.default_rng(0)
    blocks = [rng.uniform(-1, 1, 999).astype(np.float32) for _ in range(20)]
    for in_memory in (1, 8000, 1 << 20):
        samples = Samples(in_memory=in_memory)
        for block in blocks:
            samples.add(block)
        audio = samples.array()
        samples.close()
        assert np.array_equal(audio, np.concatenate(blocks))


def wav_of(
    *, codec: int = 1, channels: int = 1, rate: int = SAMPLE_RATE, bits: int = 16, data: bytes = bytes(4000)
) -> bytes:
    """A wav file whose header says what it is told to."""
    frame = channels * bits // 8
    header = struct.pack("<HHIIHH", codec, channels, rate, rate * frame % 2**32, frame % 2**16, bits)
    chunks = b"fmt " + struct.pack("<I", len(header)) + header + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


BY_NAME = {kind.name: kind for kind in FFMPEG}
MP4, STREAMED, FRAGMENTS, WEBM = (
    by_ffmpeg(tone(48_000, 5), 48_000, BY_NAME[name])
    for name in ("mp4 with a picture", "mp4 for streaming", "mp4 in fragments", "webm")
)
SILENT_FILM = film()
SURROUND = by_libsndfile(np.stack([tone(seconds=5)] * 6, axis=1), SAMPLE_RATE, "FLAC", "PCM_16")
BROKEN = [
    ("nothing", b"", AudioEmpty),
    ("text", b"hello, this is text, not audio\n" * 20, UnsupportedAudio),
    ("a picture", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, UnsupportedAudio),
    ("noise", np.random.default_rng(1).bytes(200_000), UnsupportedAudio),
    ("a playlist that names a local file", b"#EXTM3U\n#EXTINF:9,\nfile:///etc/hostname\n", UnsupportedAudio),
    ("a concat script", b"ffconcat version 1.0\nfile '/etc/hostname'\n", UnsupportedAudio),
    ("a wav cut in half", JFK.read_bytes()[:150_000], UndecodableAudio),
    ("a wav cut in its header", JFK.read_bytes()[:30], UndecodableAudio),
    ("a wav without samples", by_libsndfile(tone()[:0], SAMPLE_RATE, "WAV", "PCM_16"), AudioEmpty),
    ("a flac cut in half", by_libsndfile(tone(seconds=5), SAMPLE_RATE, "FLAC", "PCM_16")[:20_000], UndecodableAudio),
    ("six channels of flac cut in half", SURROUND[: len(SURROUND) // 2], UndecodableAudio),
    ("an mp4 without its index", MP4[: len(MP4) * 9 // 10], UndecodableAudio),
    ("an mp4 cut in half", STREAMED[: len(STREAMED) // 2], UndecodableAudio),
    ("an mp4 in fragments cut in half", FRAGMENTS[: len(FRAGMENTS) // 2], UndecodableAudio),
    ("a webm cut in half", WEBM[: len(WEBM) // 2], UndecodableAudio),
    ("a webm cut in its header", WEBM[:100], UndecodableAudio),
    ("an mp4 that shows and says nothing", SILENT_FILM, UnsupportedAudio),
    ("a wav without channels", wav_of(channels=0), UndecodableAudio),
    ("a wav of 65,535 channels", wav_of(channels=65_535), UndecodableAudio),
    ("a wav without a rate", wav_of(rate=0), RequestFailure),
    ("a wav of two samples a second", wav_of(rate=2), UndecodableAudio),
    ("a wav of two billion samples a second", wav_of(rate=2**31 - 1), UndecodableAudio),
    ("a wav of no bits", wav_of(bits=0), UndecodableAudio),
    ("a wav of a codec that does not exist", wav_of(codec=0xFFFF), UndecodableAudio),
    ("a wav that says it is mp3", wav_of(codec=0x55), UndecodableAudio),
    ("a wav of numbers that are none", wav_of(codec=3, bits=32, data=b"\xff" * 4000), UndecodableAudio),
]


@pytest.mark.parametrize(("data", "error"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_what_is_not_audio_is_refused_by_its_kind(data: bytes, error: type[RequestFailure]) -> None:
    with pytest.raises(error):
        decode(io.BytesIO(data), HOUR)


def test_a_flac_that_was_streamed_has_no_length_and_is_read_to_its_end() -> None:
    data = bytearray(by_libsndfile(tone(seconds=2), SAMPLE_RATE, "FLAC", "PCM_16"))
    data[21] &= 0xF0  # with the next four bytes: how many samples there are, in 36 bits
    data[22:26] = bytes(4)
    assert promised(file(bytes(data))) is None
    assert abs(len(decode(file(bytes(data)), HOUR)) - 2 * SAMPLE_RATE) < 100


def test_a_wav_that_was_streamed_has_no_size_and_is_read_to_its_end() -> None:
    data = bytearray(by_libsndfile(tone(), SAMPLE_RATE, "WAV", "PCM_16"))
    assert data[36:40] == b"data"
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    assert len(decode(io.BytesIO(bytes(data)), HOUR)) == SAMPLE_RATE


@pytest.mark.parametrize(
    "data",
    [by_libsndfile(tone(seconds=4), SAMPLE_RATE, *kind[1:]) for kind in LIBSNDFILE] + [MP4, FRAGMENTS, WEBM],
)
def test_decoding_stops_at_the_longest_allowed(data: bytes) -> None:
    with pytest.raises(AudioTooLong, match="3 seconds"):
        decode(file(data), Limits(3))


@pytest.mark.parametrize(
    ("data", "seconds"),
    [
        (by_libsndfile(tone(8000, 4), 8000, "FLAC", "PCM_16"), 4),
        (SURROUND, 5),
        (MP4, 5),
        (WEBM, 5),
        (by_ffmpeg(tone(48_000, 5), 48_000, BY_NAME["aac"]), None),
    ],
)
def test_how_long_a_file_is_is_known_without_reading_it_where_its_format_tells(
    data: bytes, seconds: float | None
) -> None:
    told = promised(file(data))
    assert told is None if seconds is None else told == pytest.approx(seconds, abs=0.1)


@pytest.mark.parametrize("data", [JFK.read_bytes(), MP4, WEBM])
def test_reading_ends_when_nobody_waits_any_more(data: bytes) -> None:
    stop = StopFlag(60, "id")
    stop.cancel()
    with pytest.raises(Cancelled):
        decode(file(data), Limits(3600, stop))


def test_a_picture_may_last_longer_than_the_sound() -> None:
    film = by_ffmpeg(tone(48_000), 48_000, BY_NAME["webm with a picture"], seconds=4)
    assert abs(len(decode(file(film), HOUR)) - SAMPLE_RATE) < 2500


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("whole", [MP4, WEBM, by_libsndfile(tone(), SAMPLE_RATE, "OGG", "VORBIS")])
def test_whatever_the_bytes_are_it_is_a_waveform_or_one_of_the_contracts_errors(whole: bytes, seed: int) -> None:
    random, spoilt = Random(seed), bytearray(whole)
    for _ in range(20):
        spoilt[random.randrange(len(spoilt))] = random.randrange(256)
    try:
        audio = decode(file(bytes(spoilt)), HOUR)
    except RequestFailure as refused:
        assert refused.status in (400, 413, 415, 422)  # noqa: PT017 - what is raised is one of two good ends
    else:
        assert np.isfinite(audio).all()


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
