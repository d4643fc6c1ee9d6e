"""`POST /api/process-chunk`: a stream in pieces, each transcribed once."""

import base64
import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
import soundfile
from whisper_runtime.fake import FakeEngine

from tests.contract.runtime.service import MODEL, Service, fake_engine, serving, wav
from tests.support.waiting import wait_until
from tests.support.words import JFK, JFK_WORDS, word_errors

CLIP = JFK.read_bytes()
SAMPLES, RATE = soundfile.read(io.BytesIO(CLIP), dtype="int16")
PCM = {"sample_rate": RATE, "encoding": "pcm_s16le"}
FRESH = (f"chunk-{number}" for number in count())


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def body(audio: bytes = CLIP, metadata: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    known = {"session_id": "s", "chunk_id": next(FRESH), "audio_data": base64_of(audio)}
    return known | ({"chunk_metadata": metadata} if metadata else {}) | fields


def send(service: Service, content: dict[str, Any]) -> httpx.Response:
    return service.client.post("/api/process-chunk", json=content)


def test_a_chunk_gets_the_whole_answer_with_times_of_its_stream(service: Service) -> None:
    metadata = {**PCM, "sequence_number": 7, "start_time": 100.5, "end_time": 112.0, "timestamp_mode": "word"}
    sent = body(SAMPLES.tobytes(), metadata, model_name="whisper-tiny.en", language="en")
    answer = send(service, sent)
    assert answer.status_code == 200
    assert {"x-idempotent-replay", "x-whisper-degraded"}.isdisjoint(answer.headers)
    told = answer.json()
    assert (told["chunk_id"], told["session_id"], told["status"]) == (sent["chunk_id"], "s", "success")
    assert (told["chunk_sequence"], told["model_used"]) == (7, MODEL)
    said = told["transcription"]
    assert word_errors(JFK_WORDS, said["text"]) == 0
    assert (told["text"], told["confidence"], said["language"]) == (said["text"], said["confidence_score"], "en")
    assert told["chunk_timing"] == {"start_time": 100.5, "end_time": 111.5, "duration": 11.0}
    assert 100.5 <= said["segments"][0]["start"] < 102
    assert 110 < said["segments"][-1]["end"] <= 111.5
    assert 100.5 <= said["words"][0]["start"] < said["words"][-1]["end"] <= 111.5
    assert said["segments"][0]["words"][0] == said["words"][0]
    how = told["processing_info"]
    assert (how["model_used"], how["device_used"], how["device_requested"]) == (MODEL, "CPU", "CPU")
    assert (how["chunk_metadata"], how["degraded"], how["service_mode"]) == (metadata, [], "orchestration")
    assert told["processing_time"] == how["processing_time"] > 0
    assert how["queue_time"] >= 0


FLOATS = (SAMPLES / 32768).astype("<f4").tobytes()


@pytest.mark.parametrize(
    ("audio", "fields"),
    [
        (CLIP, {}),
        (CLIP, {"chunk_metadata": {"encoding": "container"}}),
        (SAMPLES.tobytes(), {"chunk_metadata": {"encoding": "pcm_s16le"}, "sample_rate": RATE}),
        (FLOATS, {"chunk_metadata": {"encoding": "float32", "sample_rate": RATE}}),
    ],
)
def test_a_chunk_comes_as_a_file_or_as_bare_samples(service: Service, audio: bytes, fields: dict[str, Any]) -> None:
    told = send(service, body(audio, **fields)).json()
    assert word_errors(JFK_WORDS, told["text"]) == 0
    assert told["chunk_timing"] == {"start_time": None, "end_time": None, "duration": 11.0}
    assert told["chunk_sequence"] is None
    assert told["transcription"]["words"] is None
    assert told["transcription"]["segments"][0]["start"] < 1


def test_silence_is_no_speech(service: Service) -> None:
    told = send(service, body(wav(np.zeros(32_000)))).json()
    assert (told["status"], told["text"], told["transcription"]["segments"]) == ("no_speech", "", [])


def test_a_repeated_chunk_gets_the_stored_answer_and_others_do_not(service: Service) -> None:
    first = body()
    once, again = send(service, first), send(service, first)
    assert again.content == once.content
    assert (again.headers["x-idempotent-replay"], "x-idempotent-replay" in once.headers) == ("true", False)
    assert again.headers["x-request-id"] != once.headers["x-request-id"]
    other = send(service, first | {"session_id": "other"})
    assert "x-idempotent-replay" not in other.headers


@pytest.fixture
def held() -> Iterator[tuple[Service, FakeEngine]]:
    """A runtime with room for several, whose engine waits until it is released."""
    engine, artifact = fake_engine()
    assert isinstance(engine, FakeEngine)
    with serving(engine, artifact, max_queue_seconds=600) as service:
        engine.asked.clear()
        engine.release.clear()
        yield service, engine
        engine.release.set()


def test_chunks_that_come_twice_at_once_are_heard_once(held: tuple[Service, FakeEngine]) -> None:
    service, engine = held
    same = body()
    with ThreadPoolExecutor(4) as senders:
        sent = [senders.submit(httpx.post, f"{service.url}/api/process-chunk", json=same, timeout=60) for _ in range(4)]
        wait_until(lambda: service.runtime.life.in_flight == 4, within=30, every=0.01, what="all four have arrived")
        wait_until(lambda: service.queue == 1, within=30, every=0.01, what="one is at work")
        engine.release.set()
        answers = [future.result() for future in sent]
    assert len({answer.content for answer in answers}) == 1
    assert sorted("x-idempotent-replay" in answer.headers for answer in answers) == [False, True, True, True]
    assert len(engine.asked) == 1


def test_a_failure_is_not_stored(fake: tuple[Service, FakeEngine]) -> None:
    service, engine = fake
    same = body()
    engine.failure = RuntimeError("boom")
    failed = send(service, same)
    engine.failure = None
    assert (failed.status_code, failed.json()["error"]["code"]) == (500, "engine_error")
    again = send(service, same)
    assert (again.status_code, "x-idempotent-replay" in again.headers) == (200, False)


def test_what_is_not_known_is_named(service: Service) -> None:
    answer = send(service, body(metadata={"timestamp_mode": "none", "colour": "red"}, beam_size=5))
    assert answer.json()["processing_info"]["degraded"] == ["beam_size", "chunk_metadata.colour"]
    assert answer.headers["x-whisper-degraded"] == "beam_size, chunk_metadata.colour"
    assert answer.json()["transcription"]["segments"] is None


WRONG: list[tuple[dict[str, Any], int, str, str]] = [
    ({"chunk_id": None}, 400, "invalid_request", "chunk_id"),
    ({"session_id": ""}, 400, "invalid_request", "session_id"),
    ({"session_id": "x" * 300}, 400, "invalid_request", "session_id"),
    ({"audio_data": None}, 400, "audio_empty", "audio_data"),
    ({"audio_data": ""}, 400, "audio_empty", "audio_data"),
    ({"audio_data": "%%%"}, 400, "invalid_request", "audio_data"),
    ({"audio_data": base64_of(b"text " * 99)}, 415, "unsupported_audio", "file"),
    ({"audio_data": base64_of(CLIP[:9999])}, 422, "undecodable_audio", "file"),
    ({"audio_data": base64_of(bytes(3)), "chunk_metadata": PCM}, 422, "undecodable_audio", "audio_data"),
    ({"model": "enormous"}, 404, "model_not_found", "model"),
    ({"model": "tiny.en", "model_name": "base"}, 400, "invalid_request", "model"),
    ({"sample_rate": 8000, "chunk_metadata": PCM}, 400, "invalid_request", "sample_rate"),
    ({"chunk_metadata": {"encoding": "mp7"}}, 400, "invalid_request", "chunk_metadata.encoding"),
    ({"chunk_metadata": {"start_time": -1}}, 400, "invalid_request", "chunk_metadata.start_time"),
    ({"chunk_metadata": [1]}, 400, "invalid_request", "chunk_metadata"),
]


@pytest.mark.parametrize(("wrong", "status", "code", "param"), WRONG)
def test_what_is_wrong_is_refused_by_name(
    service: Service, wrong: dict[str, Any], status: int, code: str, param: str
) -> None:
    error = send(service, body() | wrong)
    told = error.json()["error"]
    assert (error.status_code, told["code"], told["param"]) == (status, code, param)


def test_a_chunk_over_its_limit_is_refused_and_not_one_below() -> None:
    with serving(*fake_engine(), max_chunk_bytes=len(CLIP)) as service:
        assert send(service, body()).status_code == 200
        refused = send(service, body(CLIP + bytes(200_000)))
    assert (refused.status_code, refused.json()["error"]["code"]) == (413, "audio_too_large")


def test_a_client_that_leaves_ends_the_work_and_leaves_nothing_behind(held: tuple[Service, FakeEngine]) -> None:
    service, engine = held
    with closing(HTTPConnection(urlsplit(service.url).netloc, timeout=30)) as wire:
        wire.request("POST", "/api/process-chunk", json.dumps(body()))
        wait_until(lambda: service.queue == 1, within=30, every=0.01, what="it is at work")
    wait_until(lambda: service.queue == 0 == service.runtime.life.in_flight, within=30, every=0.01, what="it is free")
    engine.release.set()
    assert send(service, body()).status_code == 200
