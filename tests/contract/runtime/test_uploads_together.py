"""Many uploads at once: what they hold is bounded, in bytes and in time, and is given back."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import urlsplit

import pytest

from tests.contract.runtime.service import Service, fake_engine, serving
from tests.support.waiting import wait_until
from tests.support.words import JFK

CLIP = JFK.read_bytes()
MIB = 1 << 20
PART = b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'


@contextmanager
def slow_upload(service: Service, count: int, path: str = "/transcribe") -> Iterator[socket.socket]:
    """A client that has sent `count` bytes of audio of an upload that is larger, and waits."""
    at = urlsplit(service.url)
    with socket.create_connection((at.hostname, at.port), timeout=60) as wire:
        head = f"POST {path} HTTP/1.1\r\nhost: {at.netloc}\r\ncontent-length: {4_000_000}\r\n"
        with suppress(ConnectionError):  # it may be refused before all of that has left
            wire.sendall(f"{head}content-type: multipart/form-data; boundary=x\r\n\r\n".encode() + PART + bytes(count))
        yield wire


@pytest.mark.parametrize("path", ["/transcribe", "/v1/audio/transcriptions"])
def test_what_does_not_fit_beside_the_others_is_answered_503_and_the_others_go_on(path: str) -> None:
    with serving(*fake_engine(), max_spool_bytes=5 * MIB) as service, ExitStack() as clients:
        wires = [clients.enter_context(slow_upload(service, 3 * MIB // 2, path)) for _ in range(3)]
        held = lambda: service.runtime.scratch.held > 4 * MIB  # noqa: E731 - a condition
        wait_until(held, within=60, every=0.01, what="three uploads have arrived in part")
        refused = clients.enter_context(slow_upload(service, 3 * MIB // 2, path))
        assert refused.recv(4096).startswith(b"HTTP/1.1 503 ")
        # its caller may have the answer before the runtime is done with it
        wait_until(lambda: service.runtime.life.in_flight == len(wires), within=60, every=0.01, what="the others go on")
        assert service.client.get("/readyz").status_code == 200
        clients.close()
        wait_until(lambda: service.runtime.life.in_flight == 0, within=60, every=0.01, what="they hung up")
        assert service.runtime.scratch.held == 0
        assert service.send(CLIP, path).status_code == 200


def test_an_upload_that_drips_is_ended_with_its_time() -> None:
    with serving(*fake_engine(), request_seconds=1, upload_idle_seconds=60) as service, slow_upload(service, 1) as wire:
        wire.settimeout(0.05)
        answer = wait_until(lambda: _drip(wire), within=60, every=0.01, what="an answer")
        assert answer.startswith(b"HTTP/1.1 408 ")


def _drip(wire: socket.socket) -> bytes:
    wire.sendall(b"0")
    try:
        return wire.recv(4096)
    except TimeoutError:
        return b""
