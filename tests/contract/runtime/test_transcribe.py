"""`POST /transcribe`."""

import base64
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import soundfile
from whisper_runtime.engine import Waveform

from tests.contract.runtime.service import MODEL, WITH_GENAI, Service, long_speech, wav
from tests.support.sounds import WITHOUT_A_VOICE
from tests.support.words import JFK, JFK_WORDS, SAMPLE, word_errors

CLIP = JFK.read_bytes()
pytestmark = pytest.mark.parametrize("service", WITH_GENAI, indirect=True, scope="package")


@pytest.mark.parametrize("field", ["file", "audio"])
def test_a_file_gives_its_words_and_the_whole_result(service: Service, field: str) -> None:
    answer = service.send(CLIP, name=field)
    assert answer.status_code == 200
    result = answer.json()
    assert word_errors(JFK_WORDS, result["text"]) == 0
    assert result["request_id"] == answer.headers["x-request-id"]
    assert (result["model"], result["task"], result["language"]) == (MODEL, "transcribe", "en")
    assert result["duration"] == pytest.approx(11.0, abs=0.01)
    assert result["words"] is None
    assert result["degraded"] == []
    assert result["timings"]["diarize"] is None
    assert result["timings"]["inference"] > 0
    times = [t for s in result["segments"] for t in (s["start"], s["end"])]
    assert times == sorted(times)
    assert 0 <= times[0] < 1
    assert 10 < times[-1] <= 11
    assert [s["id"] for s in result["segments"]] == list(range(len(result["segments"])))


def test_json_with_base64_gives_the_same(service: Service) -> None:
    samples, rate = soundfile.read(io.BytesIO(CLIP), dtype="int16")
    bare = {"audio_data": base64.b64encode(samples.tobytes()).decode(), "sample_rate": rate, "encoding": "pcm_s16le"}
    whole = {"audio_data": base64.b64encode(CLIP).decode()}
    texts = {service.client.post("/transcribe", json=body).json()["text"] for body in (bare, whole)}
    assert len(texts) == 1
    assert word_errors(JFK_WORDS, texts.pop()) == 0


def test_words_have_times_inside_their_file(service: Service) -> None:
    result = service.send(CLIP, word_timestamps="true").json()
    words = result["words"]
    assert word_errors(JFK_WORDS, "".join(word["word"] for word in words)) == 0
    assert words == [word for segment in result["segments"] for word in segment["words"]]
    times = [t for word in words for t in (word["start"], word["end"])]
    assert times == sorted(times)
    assert times[-1] <= 11
    assert {word["timing"] for word in words} <= {"dtw", "interpolated"}


def test_times_past_30_s_are_those_of_the_file(service: Service) -> None:
    segments = service.send(long_speech()).json()["segments"]
    times = [t for s in segments for t in (s["start"], s["end"])]
    assert times == sorted(times)
    assert 6 < times[0] < 7.5
    assert 55 < times[-1] <= 60
    assert any(37 > s["start"] > 35 for s in segments), "the second greeting, 30 s after the first"


@pytest.mark.parametrize("sound", WITHOUT_A_VOICE)
def test_silence_noise_and_music_give_no_words(service: Service, sound: Callable[[int], Waveform]) -> None:
    result = service.send(wav(sound(40 * 16_000))).json()
    assert (result["text"], result["segments"]) == ("", [])


def test_options_not_honoured_are_named_in_body_and_header(service: Service) -> None:
    info = service.runtime.engine.info
    needs = {"prompt": "A speech.", "hotwords": "Americans", "word_timestamps": "true"}
    offers = {"prompt": "prompt", "hotwords": "hotwords", "word_timestamps": "words"}
    unmet = [name for name in needs if offers[name] not in info.capabilities]
    answer = service.send(CLIP, beam_size="5", device="tpu", **needs)
    assert answer.status_code == 200
    assert sorted(answer.json()["degraded"]) == sorted(["beam_size", "device", *unmet])
    assert answer.headers["x-whisper-degraded"] == ", ".join(answer.json()["degraded"])
    assert answer.json()["device"] == {
        "requested": "tpu",
        "used": info.device.used,
        "fallback_reason": f"this runtime serves from {info.device.used}",
    }
    assert word_errors(JFK_WORDS, answer.json()["text"]) == 0


@pytest.mark.parametrize("path", ["/transcribe", "/v1/audio/transcriptions"])
def test_what_only_json_takes_is_named_in_a_form(service: Service, path: str) -> None:
    answer = service.send(CLIP, path, audio_data="QUJD", sample_rate="8000", encoding="pcm_s16le")
    assert answer.status_code == 200
    assert word_errors(JFK_WORDS, answer.json()["text"]) == 0
    assert answer.headers["x-whisper-degraded"] == "audio_data, encoding, sample_rate"


@pytest.mark.parametrize("path", ["/transcribe", "/v1/audio/transcriptions"])
def test_a_file_that_is_no_audio_is_named_and_an_option_is_not_read_from_one(service: Service, path: str) -> None:
    answer = service.client.post(path, files={"file": CLIP, "glossary": b"Americans"})
    assert answer.status_code == 200
    assert answer.headers["x-whisper-degraded"] == "glossary"
    refused = service.client.post(path, files={"file": CLIP, "prompt": b"A speech."})
    error = refused.json()["error"]
    assert (refused.status_code, error["code"], error["param"]) == (400, "invalid_request", "prompt")


def test_options_do_not_stick(service: Service) -> None:
    before = service.send(CLIP).json()
    service.send(CLIP, prompt="SHOUTING. ALL CAPITALS.", temperature="1", word_timestamps="true")
    after = service.send(CLIP).json()
    for key in ("text", "segments", "words", "degraded"):
        assert before[key] == after[key]


def test_concurrent_requests_do_not_mix(service: Service) -> None:
    def ask(path: object) -> httpx.Response:
        return service.send(path.read_bytes())  # type: ignore[attr-defined]  # one of two files

    alone = {path: ask(path).json()["text"] for path in (JFK, SAMPLE)}
    paths = [JFK, SAMPLE, JFK, JFK]
    with ThreadPoolExecutor(len(paths)) as pool:
        answers = list(pool.map(ask, paths))
    assert [answer.status_code for answer in answers] == [200] * len(paths)
    assert [answer.json()["text"] for answer in answers] == [alone[path] for path in paths]
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(paths)
