"""The sockets of the test hub: standard library only, so that its image needs nothing and a cut is a real cut."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import sleep
from typing import Any
from urllib.parse import urlsplit

from tests.support.hub.answers import Answer, answer, document, error
from tests.support.hub.faults import OF_CONTENT, OF_REQUESTS, Fault, Faults

BLOCK = 64 * 1024
STALL_SECONDS = 600  # longer than any client waits


class Hub(ThreadingHTTPServer):
    """Serves `root/<organisation>/<name>/` as repositories.

    `POST /_faults` with a list of faults switches exactly those on; `GET /_requests` lists what was asked for.
    """

    daemon_threads = True

    def __init__(self, root: Path, host: str = "127.0.0.1", port: int = 0, token: str | None = None) -> None:
        super().__init__((host, port), _Handler)
        self.root = root.resolve()
        self.token = token
        self.faults = Faults()
        self.requests: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is not worth a traceback."""


class _Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._serve(body=False)

    def do_GET(self) -> None:
        match self.path:
            case "/_ready":
                self._send(document({"ready": True}), [], body=True)
            case "/_requests":
                self._send(document(self.server.requests), [], body=True)
            case _:
                self._serve(body=True)

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != "/_faults":
            self._send(error(404, "NotFound", "only /_faults takes POST"), [], body=True)
            return
        try:
            self.server.faults.replace(json.loads(content))
        except (TypeError, ValueError) as reason:
            self._send(error(400, "BadRequest", str(reason)), [], body=True)
        else:
            self._send(document({"faults": json.loads(content)}), [], body=True)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Requests are listed at /_requests; a token in a header never reaches a log."""

    def _serve(self, *, body: bool) -> None:
        path = urlsplit(self.path).path
        faults = self.server.faults.take(path, OF_REQUESTS)
        ranges = None if any(fault.kind == "ignore_range" for fault in faults) else self.headers.get("Range")
        found = self._refusal(faults) or answer(self.server.root, path, ranges)
        entry = {"method": self.command, "path": path, "range": self.headers.get("Range"), "status": found.status}
        self.server.requests.append(entry)
        self._send(found, self.server.faults.take(path, OF_CONTENT) if body and found.file else [], body=body)

    def _refusal(self, faults: list[Fault]) -> Answer | None:
        for fault in faults:
            if fault.kind == "status":
                refused = error(fault.status, "", "made to fail")
                retry = {"Retry-After": fault.retry_after} if fault.retry_after else {}
                return Answer(fault.status, refused.headers | retry, refused.body, length=refused.length)
        if self.server.token and self.headers.get("Authorization") != f"Bearer {self.server.token}":
            return error(401, "", "Invalid credentials in Authorization header")
        return None

    def _send(self, answer: Answer, faults: list[Fault], *, body: bool) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(answer.length))
        self.end_headers()
        if not body:
            return
        if answer.file is None:
            self.wfile.write(answer.body)
        elif not self._stream(_blocks(answer), faults):
            self.close_connection = True

    def _stream(self, blocks: Iterator[tuple[int, bytes]], faults: list[Fault]) -> bool:
        """Send a file's blocks, or what the faults leave of them; False when the connection is to be cut."""
        for start, block in blocks:
            content, rate = block, 0
            for fault in faults:
                at = fault.after - start
                if fault.kind == "corrupt" and 0 <= at < len(content):
                    content = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
                elif fault.kind in ("cut", "stall") and at < len(content):
                    self.wfile.write(content[: max(at, 0)])
                    if fault.kind == "stall":
                        self.server.faults.changed.wait(STALL_SECONDS)
                    return False
                elif fault.kind == "slow":
                    rate = fault.rate
            self._write(content, rate)
        return True

    def _write(self, content: bytes, rate: int) -> None:
        if not rate:
            self.wfile.write(content)
            return
        step = max(rate // 20, 1)
        for start in range(0, len(content), step):
            self.wfile.write(content[start : start + step])
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
def serve(root: Path, token: str | None = None) -> Iterator[Hub]:
    """A hub in this process on a free port of the loopback interface."""
    with Hub(root, token=token) as hub:
        thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield hub
        finally:
            hub.faults.replace([])
            hub.shutdown()
            thread.join()
