"""Bad audio, wrong options, lies: the contract's errors, and the runtime lives on."""

import io
import socket
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import soundfile
from whisper_runtime.settings import Settings

from tests.contract.runtime.service import TIMEOUT, Service, fake_engine, serving, wav
from tests.support.waiting import wait_until
from tests.support.words import JFK, JFK_WORDS, word_errors

CLIP = JFK.read_bytes()


def hours() -> bytes:
    """A small file that decodes to hours, at a rate at which it is made quickly."""
    file = io.BytesIO()
    soundfile.write(file, np.zeros(4 * 3600 * 1000, np.int16), 1000, format="FLAC", subtype="PCM_16")
    return file.getvalue()


def lying(at: int, number: int, size: int) -> bytes:
    """The clip with another number in its header."""
    spoilt = bytearray(CLIP)
    spoilt[at : at + size] = number.to_bytes(size, "little")
    return bytes(spoilt)


AUDIO = [
    ("empty", b"", 400, "audio_empty"),
    ("text", b"this is not audio at all\n" * 40, 415, "unsupported_audio"),
    ("truncated", CLIP[: len(CLIP) // 2], 422, "undecodable_audio"),
    ("cut in its header", CLIP[:30], 422, "undecodable_audio"),
    ("without samples", wav(np.zeros(0)), 400, "audio_empty"),
    ("over the size limit", b"RIFF" + bytes(4_100_000), 413, "audio_too_large"),
    ("longer than allowed once decoded", wav(np.zeros(8000 * 101), 8000), 413, "audio_too_long"),
    ("a few bytes of hours", hours(), 413, "audio_too_long"),
    ("a header that promises 65,535 channels", lying(22, 65_535, 2), 422, "undecodable_audio"),
    ("a header that promises no bits", lying(34, 0, 2), 422, "undecodable_audio"),
    ("a header that promises two billion samples a second", lying(24, 2**31 - 1, 4), 422, "undecodable_audio"),
    ("a header that promises more than there is", lying(4, 2**30, 4), 422, "undecodable_audio"),
]
OPTIONS: list[tuple[dict[str, Any], str, int, str]] = [
    ({"model": "enormous"}, "model", 404, "model_not_found"),
    ({"model_name": "whisper-enormous"}, "model", 404, "model_not_found"),
    ({"model": "tiny.en", "model_name": "base"}, "model", 400, "invalid_request"),
    ({"language": "klingon"}, "language", 400, "invalid_request"),
    ({"language": "fr"}, "language", 400, "invalid_request"),
    ({"task": "translate"}, "task", 400, "unsupported_task"),
    ({"temperature": "hot"}, "temperature", 400, "invalid_request"),
    ({"word_timestamps": "maybe"}, "word_timestamps", 400, "invalid_request"),
]


@pytest.fixture(autouse=True)
def _lives_on(service: Service) -> Any:
    yield
    assert service.client.get("/readyz").status_code == 200


@pytest.mark.parametrize("path", ["/transcribe", "/v1/audio/transcriptions"])
@pytest.mark.parametrize(("audio", "status", "code"), [c[1:] for c in AUDIO], ids=[c[0] for c in AUDIO])
def test_bad_audio(service: Service, path: str, audio: bytes, status: int, code: str) -> None:
    answer = service.send(audio, path)
    body = answer.json()
    assert (answer.status_code, body["error"]["code"]) == (status, code)
    assert body["error"]["type"] == "invalid_request_error"
    assert body["error"]["message"]
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["service"] == service.runtime.service
    assert answer.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(("options", "param", "status", "code"), OPTIONS)
def test_wrong_options(service: Service, options: dict[str, Any], param: str, status: int, code: str) -> None:
    answer = service.send(CLIP, **options)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (status, code, param)


def test_after_bad_requests_a_good_one_is_answered_well(service: Service) -> None:
    for _, audio, *_ in AUDIO:
        service.send(audio)
    assert word_errors(JFK_WORDS, service.send(CLIP).json()["text"]) == 0


BODIES = [
    ("no file", {"files": {"other": b"x"}}, 400),
    ("two files", {"files": [("file", CLIP), ("audio", CLIP)]}, 400),
    ("no form", {"content": b"just bytes"}, 400),
    ("a form cut off", {"content": b"--x\r\n", "headers": {"content-type": "multipart/form-data; boundary=x"}}, 400),
    ("a form without boundary", {"content": b"--x", "headers": {"content-type": "multipart/form-data"}}, 400),
    ("wrong JSON", {"content": b"{", "headers": {"content-type": "application/json"}}, 400),
    ("JSON that is no object", {"json": [1, 2]}, 400),
    ("JSON without audio", {"json": {"language": "en"}}, 400),
    ("wrong base64", {"json": {"audio_data": "%%%"}}, 400),
    ("base64 that goes on after its end", {"json": {"audio_data": "QQ==QQ=="}}, 400),
    ("a number for base64", {"json": {"audio_data": 7}}, 400),
    ("base64 of text", {"json": {"audio_data": "aGVsbG8="}}, 415),
    ("half a sample", {"json": {"audio_data": "YWJj", "encoding": "pcm_s16le"}}, 422),
]


@pytest.mark.parametrize(("body", "status"), [c[1:] for c in BODIES], ids=[c[0] for c in BODIES])
def test_bodies_that_make_no_sense(service: Service, body: dict[str, Any], status: int) -> None:
    answer = service.client.post("/transcribe", **body)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


def test_an_upload_that_announces_too_much_is_refused_before_it_is_sent(service: Service) -> None:
    at = urlsplit(service.url)
    with socket.create_connection((at.hostname, at.port), timeout=TIMEOUT) as wire:
        head = f"POST /transcribe HTTP/1.1\r\nhost: {at.netloc}\r\ncontent-length: 99999999\r\n"
        wire.sendall((head + "content-type: multipart/form-data; boundary=x\r\n\r\n--x\r\n").encode())
        assert wire.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_an_upload_of_unknown_length_is_cut_off_at_the_limit(service: Service) -> None:
    at = urlsplit(service.url)
    head = f"POST /transcribe HTTP/1.1\r\nhost: {at.netloc}\r\ntransfer-encoding: chunked\r\n"
    part = '--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
    block = bytes(1 << 20)
    with socket.create_connection((at.hostname, at.port), timeout=TIMEOUT) as wire:
        wire.sendall(f"{head}content-type: multipart/form-data; boundary=x\r\n\r\n".encode())
        with suppress(ConnectionError):  # it is cut off before or after the last byte has left
            for chunk in (part.encode(), *[block] * 4):
                wire.sendall(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
        assert wire.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_an_upload_that_stalls_is_given_up() -> None:
    with serving(*fake_engine(), upload_idle_seconds=0.3) as service:
        at = urlsplit(service.url)
        with socket.create_connection((at.hostname, at.port), timeout=TIMEOUT) as wire:
            head = f"POST /transcribe HTTP/1.1\r\nhost: {at.netloc}\r\ncontent-length: 1000\r\n"
            wire.sendall(f"{head}content-type: multipart/form-data; boundary=x\r\n\r\n--x\r\n".encode())
            assert wire.recv(4096).startswith(b"HTTP/1.1 408 ")
        wait_until(lambda: service.runtime.life.in_flight == 0, within=TIMEOUT, every=0.01, what="it is given up")


@pytest.mark.parametrize(
    ("method", "path", "status", "says"),
    [
        ("GET", "/nowhere", 404, "there is no GET /nowhere here"),
        ("POST", "/v1/audio/speech", 404, "there is no POST /v1/audio/speech here"),
        ("POST", "/v1/audio/transcriptions/none", 404, "there is no POST"),
        ("GET", "/transcribe", 405, "GET /transcribe is not possible; the path takes POST"),
        ("DELETE", "/v1/audio/translations", 405, "the path takes POST"),
    ],
)
def test_an_unknown_path_or_method_answers_in_the_same_form(
    service: Service, method: str, path: str, status: int, says: str
) -> None:
    answer = service.client.request(method, path, headers={"x-request-id": "mine"})
    body = answer.json()
    assert answer.status_code == status
    assert says in body["error"]["message"]
    assert (body["error"]["type"], body["error"]["code"]) == ("invalid_request_error", "invalid_request")
    assert body["request_id"] == answer.headers["x-request-id"] == "mine"
    assert (body["service"], answer.headers["x-should-retry"]) == (service.runtime.service, "false")


AROUND = 64 * 1024  # what a form may add
LIMITS = [
    ("/transcribe", 64 << 20),
    ("/v1/audio/transcriptions", 25_000_000),
    ("/v1/audio/translations", 25_000_000),
    ("/batch/process", 512_000_000),
]


def answer_to_a_promise(service: Service, path: str, size: int, kind: str) -> str:
    """The status line for an upload of a size, before any of it is sent: 100 where it is welcome."""
    at = urlsplit(service.url)
    with socket.create_connection((at.hostname, at.port), timeout=TIMEOUT) as wire:
        head = f"POST {path} HTTP/1.1\r\nhost: {at.netloc}\r\ncontent-length: {size}\r\nexpect: 100-continue\r\n"
        wire.sendall(f"{head}content-type: {kind}\r\n\r\n".encode())
        return wire.recv(4096).split(b"\r\n")[0].decode()


def test_each_endpoint_has_a_limit_of_its_own_for_uploads() -> None:
    kind, plain = "multipart/form-data; boundary=x", "application/json"
    defaults = {name: Settings.model_fields[name].default for name in ("max_upload_bytes", "max_audio_seconds")}
    promises = [(path, limit + AROUND, kind) for path, limit in LIMITS]
    promises += [("/transcribe", (64 << 20) * 4 // 3 + AROUND, plain)]
    promises += [("/api/process-chunk", 10_000_000 * 4 // 3 + AROUND, plain)]
    with serving(*fake_engine(), **defaults) as service:
        for path, most, form in promises:
            assert answer_to_a_promise(service, path, most, form).startswith("HTTP/1.1 100 "), path
            assert answer_to_a_promise(service, path, most + 1, form).startswith("HTTP/1.1 413 "), path


@pytest.mark.parametrize(
    ("limits", "openai"),
    [
        ({"max_upload_bytes": 400_000, "openai_upload_bytes": 500_000}, 200),
        ({"max_upload_bytes": 400_000, "openai_upload_bytes": 300_000}, 413),
        ({"max_upload_bytes": 300_000}, 413),
    ],
)
def test_the_limit_of_openais_endpoints_is_the_one_given_for_them(limits: dict[str, Any], openai: int) -> None:
    engine, artifact = fake_engine()
    with serving(engine, artifact, **limits) as service:
        assert 300_000 < len(CLIP) < 400_000
        assert service.send(CLIP, "/v1/audio/transcriptions").status_code == openai
        fits = limits["max_upload_bytes"] > len(CLIP)
        assert service.send(CLIP).status_code == (200 if fits else 413)
