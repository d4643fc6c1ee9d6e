"""The callers of the fault suite against a server that behaves as told."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from tests.e2e.faults import load
from tests.e2e.faults.load import WORDS, Callers, Traffic
from tests.e2e.faults.verdict import Ending, Kind
from tests.support.waiting import wait_until


class Service(ThreadingHTTPServer):
    """Answers as its fields say."""

    daemon_threads = True
    status: int = 200
    text: str = WORDS
    cut: bool = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that is gone is what the test wants."""


class Handler(BaseHTTPRequestHandler):
    server: Service
    protocol_version = "HTTP/1.1"
    answers: ClassVar[dict[str, Any]] = {"/v1/models": {"data": [{"id": "tiny.en"}]}}

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._answer({"text": self.server.text})

    def do_GET(self) -> None:
        self._answer(self.answers[self.path])

    def _answer(self, content: dict[str, Any]) -> None:
        if self.server.cut:
            self.close_connection = True
            return
        body = json.dumps(content).encode()
        self.send_response(self.server.status)
        self.send_header("content-length", str(len(body)))
        self.send_header("x-whisper-attempts", "2")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Nobody reads it."""


@pytest.fixture
def service() -> Iterator[Service]:
    with Service(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def callers(service: Service, **more: Any) -> Callers:
    return Callers([f"http://127.0.0.1:{service.server_port}"], **{"transcribing": 4, "light": 2, **more})


def endings(traffic: Traffic, kind: Kind) -> set[Ending]:
    return {request.ending for request in traffic.requests if request.kind is kind}


def test_callers_go_on_until_they_are_stopped_and_none_is_forgotten(service: Service) -> None:
    traffic = Traffic(callers(service)).start()
    wait_until(lambda: len(traffic.requests) > 20, within=30)
    traffic.finished()
    assert endings(traffic, Kind.TRANSCRIPTION) == endings(traffic, Kind.LIGHT) == {Ending.GOOD}
    assert {request.caller for request in traffic.requests if request.kind is Kind.TRANSCRIPTION} == {0, 1, 2, 3}
    assert {request.attempts for request in traffic.requests} == {2}


@pytest.mark.parametrize(
    ("change", "ending"),
    [
        ({"text": "ask what you can do for your sister"}, Ending.WRONG),
        ({"status": 503}, Ending.REFUSED),
        ({"status": 504}, Ending.TIMED_OUT),
        ({"cut": True}, Ending.CUT),
    ],
)
def test_each_bad_end_has_its_name(service: Service, change: dict[str, Any], ending: Ending) -> None:
    for name, value in change.items():
        setattr(service, name, value)
    traffic = Traffic(callers(service, light=0)).start()
    wait_until(lambda: traffic.requests, within=30)
    traffic.finished()
    assert endings(traffic, Kind.TRANSCRIPTION) == {ending}


def test_a_port_that_nobody_listens_on_is_a_broken_connection(service: Service) -> None:
    nobody = Callers(["http://127.0.0.1:1"], transcribing=1, light=1)
    traffic = Traffic(nobody).start()
    wait_until(lambda: len(traffic.requests) > 2, within=30)
    traffic.finished()
    assert {request.ending for request in traffic.requests} == {Ending.CUT}


def test_silence_is_a_hang_once_the_callers_patience_ends(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "PATIENCE", 0.2)
    silent = threading.Event()
    monkeypatch.setattr(Handler, "do_GET", lambda _handler: silent.wait(30))
    traffic = Traffic(callers(service, transcribing=0, light=1)).start()
    wait_until(lambda: traffic.requests, within=30)
    silent.set()
    traffic.finished()
    assert endings(traffic, Kind.LIGHT) == {Ending.HUNG}
