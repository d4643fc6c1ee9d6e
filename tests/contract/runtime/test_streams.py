"""What only an engine under control can show of a stream: when its parts come, and how it ends when it goes wrong."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace

import openai
import pytest
from whisper_runtime.engine import Waveform
from whisper_runtime.fake import FakeEngine

from tests.contract.runtime.service import Service, client_of, long_speech
from tests.support.words import JFK


class InTurn:
    """Says one thing of the first window; of the second what it is told to, once it is told."""

    def __init__(self, engine: FakeEngine, second: Callable[[], str]) -> None:
        self.calls, self.second, self.going_on = 0, second, threading.Event()
        engine.says = self

    def __call__(self, _: Waveform) -> str:
        self.calls += 1
        if self.calls == 1:
            return " One,"
        self.going_on.wait(30)
        return self.second()


def fails() -> str:
    raise RuntimeError("boom")


def test_a_delta_is_sent_while_the_engine_is_still_at_work(fake: tuple[Service, FakeEngine]) -> None:
    service, engine = fake
    turn = InTurn(engine, lambda: " two. ")
    with client_of(service) as client:
        events = iter(client.audio.transcriptions.create(model="whisper-1", file=long_speech(), stream=True))
        first = next(events)
        assert (first.type, service.queue) == ("transcript.text.delta", 1)
        turn.going_on.set()
        assert [event.model_dump(exclude_unset=True) for event in events] == [
            {"type": "transcript.text.delta", "delta": " two."},
            {"type": "transcript.text.done", "text": "One, two."},
        ]


def test_what_fails_in_mid_stream_is_an_error_event_that_the_client_raises(fake: tuple[Service, FakeEngine]) -> None:
    service, engine = fake
    InTurn(engine, fails).going_on.set()
    with client_of(service, retries=2) as client:
        events = client.audio.transcriptions.create(model="whisper-1", file=long_speech(), stream=True)
        with pytest.raises(openai.APIError, match="the engine failed: RuntimeError: boom") as raised:
            list(events)
    assert raised.value.code == "engine_error"
    metrics = service.client.get("/metrics").text
    assert 'endpoint="/v1/audio/transcriptions",model="tiny.en",reason="engine_error"} 1.0' in metrics


def test_a_stream_that_draining_cuts_off_says_so(fake: tuple[Service, FakeEngine]) -> None:
    service, engine = fake
    turn = InTurn(engine, lambda: "two")
    service.runtime.settings = service.runtime.settings.model_copy(update={"drain_seconds": 0.1})
    with client_of(service) as client:
        events = iter(client.audio.transcriptions.create(model="whisper-1", file=long_speech(), stream=True))
        next(events)
        assert not service.on_its_loop(service.runtime.drain)
        with pytest.raises(openai.APIError) as raised:
            next(events)
        turn.going_on.set()
    assert raised.value.code == "draining"


def test_what_fails_before_the_first_delta_has_its_status(fake: tuple[Service, FakeEngine]) -> None:
    service, engine = fake
    engine.failure = RuntimeError("boom")
    with client_of(service) as client, pytest.raises(openai.InternalServerError) as raised:
        client.audio.transcriptions.create(model="whisper-1", file=JFK, stream=True)
    assert (raised.value.status_code, raised.value.code) == (500, "engine_error")


def test_silence_is_a_stream_with_an_empty_text(fake: tuple[Service, FakeEngine]) -> None:
    service, engine = fake
    engine.says = lambda _: ""
    with client_of(service) as client:
        events = list(client.audio.transcriptions.create(model="whisper-1", file=JFK, stream=True))
    assert [event.model_dump(exclude_unset=True) for event in events] == [{"type": "transcript.text.done", "text": ""}]


def test_what_the_device_could_not_honour_after_all_is_named_at_the_end(
    fake: tuple[Service, FakeEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    service, engine = fake
    real = engine.transcribe
    monkeypatch.setattr(engine, "transcribe", lambda *asked: replace(real(*asked), degraded=("prompt",)))
    with client_of(service) as client:
        *_, done = client.audio.transcriptions.create(model="whisper-1", file=JFK, stream=True, prompt="A speech.")
    assert done.model_dump()["degraded"] == ["prompt"]


def test_an_error_event_is_the_contracts_body(fake: tuple[Service, FakeEngine]) -> None:
    service, engine = fake
    InTurn(engine, fails).going_on.set()
    answer = service.send(long_speech(), "/v1/audio/transcriptions", stream="true")
    last = answer.text.rstrip().split("\n\n")[-1].splitlines()
    body = json.loads(last[1].removeprefix("data: "))
    assert last[0] == "event: error"
    assert body.pop("error")["message"] == "the engine failed: RuntimeError: boom"
    assert body == {"type": "error", "request_id": answer.headers["x-request-id"], "service": "whisper-cpu"}
