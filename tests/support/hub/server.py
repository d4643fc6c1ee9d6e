"""The sockets of the test hub: standard library only, so that its image needs nothing and a cut is a real cut."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import sleep
from typing import Any
from urllib.parse import urlsplit

from tests.support.hub.answers import Answer, answer, document, error
from tests.support.hub.disturbances import asked, disturbed, refusal
from tests.support.hub.faults import OF_CONTENT, OF_REQUESTS, Fault, Faults

BLOCK = 64 * 1024
STALL_SECONDS = 600  # longer than any client waits


class Hub(ThreadingHTTPServer):
    """Serves `root/<organisation>/<name>/` as repositories.

    `POST /_faults` with a list of faults switches exactly those on; `GET /_requests` lists what was asked for, and how
    many of a file's bytes were sent in answer.
    """

    daemon_threads = True

    def __init__(
        self,
        root: Path,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__((host, port), _Handler)
        self.scheme = "https" if tls else "http"
        if tls:  # the handshake comes with the first byte that is read, in the connection's own thread
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.root = root.resolve()
        self.token = token
        self.faults = Faults()
        self.requests: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"{self.scheme}://{host!s}:{port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is not worth a traceback."""


class _Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    """As servers of files do; or each small answer would wait 40 ms for its headers to be acknowledged."""

    def do_HEAD(self) -> None:
        self._serve(body=False)

    def do_GET(self) -> None:
        match self.path:
            case "/_ready":
                self._tell(document({"ready": True}))
            case "/_requests":
                self._tell(document(self.server.requests))
            case _:
                self._serve(body=True)

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != "/_faults":
            self._tell(error(404, "NotFound", "only /_faults takes POST"))
            return
        try:
            self.server.faults.replace(json.loads(content))
        except (TypeError, ValueError) as reason:
            self._tell(error(400, "BadRequest", str(reason)))
        else:
            self._tell(document({"faults": json.loads(content)}))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Requests are listed at /_requests; a token in a header never reaches a log."""

    def _serve(self, *, body: bool) -> None:
        path = urlsplit(self.path).path
        faults = self.server.faults.take(path, OF_REQUESTS)
        byte_range = self.headers.get("Range")
        found = refusal(path, faults) or self._unauthorized()
        found = found or answer(self.server.root, path, asked(byte_range, faults))
        entry = {"method": self.command, "path": path, "range": byte_range, "status": found.status, "sent": 0}
        self.server.requests.append(entry)
        faults += self.server.faults.take(path, OF_CONTENT) if body and found.file else []
        for fault in faults:
            if fault.kind == "delay":
                self.server.faults.changed.wait(fault.seconds)
        self._send(disturbed(found, faults), faults, entry, body=body)

    def _tell(self, answer: Answer) -> None:
        """About the server itself: no fault changes it and no list counts it."""
        self._send(answer, [], {}, body=True)

    def _unauthorized(self) -> Answer | None:
        if self.server.token and self.headers.get("Authorization") != f"Bearer {self.server.token}":
            return error(401, "", "Invalid credentials in Authorization header")
        return None

    def _send(self, answer: Answer, faults: list[Fault], entry: dict[str, Any], *, body: bool) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.headers.get("Connection") != "close":
            self.send_header("Content-Length", str(answer.length))
        self.end_headers()
        if not body:
            return
        if answer.file is None:
            self.wfile.write(answer.body)
        elif not self._stream(answer, faults, entry):
            self.close_connection = True

    def _stream(self, answer: Answer, faults: list[Fault], entry: dict[str, Any]) -> bool:
        """Send a file's blocks, or what the faults leave of them; False when the connection is to be cut."""
        for start, block in _blocks(answer):
            content, rate = block, 0
            for fault in faults:
                at = fault.after - start + (answer.start if fault.each else 0)
                if fault.kind == "corrupt" and 0 <= at < len(content):
                    content = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
                elif fault.kind in ("cut", "stall") and at < len(content):
                    self._write(content[: max(at, 0)], 0, entry)
                    if fault.kind == "stall":
                        self.server.faults.changed.wait(STALL_SECONDS)
                    return False
                elif fault.kind == "slow":
                    rate = fault.rate
            self._write(content, rate, entry)
        return True

    def _write(self, content: bytes, rate: int, entry: dict[str, Any]) -> None:
        """Send in one piece, or in twenty small ones a second."""
        step = max(rate // 20, 1) if rate else len(content) or 1
        for start in range(0, len(content), step):
            part = content[start : start + step]
            entry["sent"] += len(part)  # before its reader can be done with it, and with looking at the count
            try:
                self.wfile.write(part)
            except OSError:
                entry["sent"] -= len(part)
                raise
            if rate:
                sleep(step / rate)


def _blocks(answer: Answer) -> Iterator[tuple[int, bytes]]:
    """(offset in the file, bytes) until the answer's length is reached."""
    if answer.file is None:
        return
    with answer.file.open("rb") as file:
        file.seek(answer.start)
        left = answer.length
        while left and (block := file.read(min(BLOCK, left))):
            yield answer.start + answer.length - left, block
            left -= len(block)


@contextmanager
def serve(root: Path, token: str | None = None, tls: ssl.SSLContext | None = None) -> Iterator[Hub]:
    """A hub in this process on a free port of the loopback interface."""
    with Hub(root, token=token, tls=tls) as hub:
        thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield hub
        finally:
            hub.faults.replace([])
            hub.shutdown()
            thread.join()
