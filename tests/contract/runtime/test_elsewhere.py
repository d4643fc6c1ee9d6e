"""What only other runtimes can do is answered 421, by which the router knows to ask them."""

import json
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from whisper_runtime.api.elsewhere import ELSEWHERE

from tests.contract.runtime.service import TIMEOUT, Service
from tests.support.words import JFK

CLIP = JFK.read_bytes()


@pytest.mark.parametrize(("method", "path", "where"), ELSEWHERE)
def test_an_endpoint_of_another_runtime_says_whose_it_is(service: Service, method: str, path: str, where: str) -> None:
    answer = service.client.request(method, path.replace("{id}", "job-1"), headers={"x-request-id": "mine"})
    body = answer.json()
    assert (answer.status_code, body["error"]["code"]) == (421, "unsupported_here")
    here = answer.headers["x-whisper-runtime"]
    why = "not there yet" if here in where else f"there on {where} only; this is {here}"
    assert body["error"]["message"] == f"{method} {path} is {why}"
    assert (body["request_id"], answer.headers["x-should-retry"]) == ("mine", "false")


@pytest.mark.parametrize("path", ["/transcribe", "/v1/audio/transcriptions"])
def test_what_is_required_and_there_is_served(service: Service, path: str) -> None:
    answer = service.client.post(path, files={"file": CLIP}, headers={"x-whisper-require": "prompt, words"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "path", ["/transcribe", "/v1/audio/transcriptions", "/v1/audio/translations", "/api/process-chunk"]
)
def test_what_is_required_and_missing_is_refused_before_the_upload(service: Service, path: str) -> None:
    with closing(HTTPConnection(urlsplit(service.url).netloc, timeout=TIMEOUT)) as wire:
        wire.putrequest("POST", path)
        for name, value in {"content-length": "1000", "x-whisper-require": "words, diarization"}.items():
            wire.putheader(name, value)
        wire.endheaders()
        answer = wire.getresponse()
        error = json.loads(answer.read())["error"]
    assert (answer.status, error["code"], error["param"]) == (421, "unsupported_here", "x-whisper-require")
    assert error["message"].startswith("x-whisper-require: diarization is not done here; ")
    assert "prompt" in error["message"], "what is done here"
