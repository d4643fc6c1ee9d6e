"""A door in front of the test hub that notes which secrets it is shown, and may send callers to another host."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx

PASSED_ON = ("Location", "ETag", "Content-Range", "X-Repo-Commit", "X-Linked-Etag", "X-Linked-Size", "X-Error-Code")


class Gate(ThreadingHTTPServer):
    """Passes requests on to a hub.

    Args:
        hub: the address of the hub behind it.
        token: shown to the hub on the caller's behalf, as what lies behind a content delivery network needs none.
        sends: paths that begin so are redirected to `elsewhere`.
    """

    daemon_threads = True

    def __init__(self, hub: str, token: str | None = None, sends: str = "", elsewhere: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.client = httpx.Client(base_url=hub, trust_env=False, timeout=60)
        self.token, self.sends, self.elsewhere = token, sends, elsewhere
        self.shown: list[str] = []
        """Every header that a caller sent, as one text."""

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away is not worth a traceback."""


class _Handler(BaseHTTPRequestHandler):
    server: Gate
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._pass_on()

    def do_GET(self) -> None:
        self._pass_on()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Nothing is printed."""

    def _pass_on(self) -> None:
        self.server.shown.append(f"{self.path}\n{self.headers}")
        if self.server.sends and urlsplit(self.path).path.startswith(self.server.sends):
            self._answer(302, {"Location": self.server.elsewhere + self.path}, b"")
            return
        kept = {name: self.headers[name] for name in ("Authorization", "Range") if name in self.headers}
        if self.server.token:
            kept["Authorization"] = f"Bearer {self.server.token}"
        with self.server.client.stream(self.command, self.path, headers=kept) as found:
            headers = {name: found.headers[name] for name in PASSED_ON if name in found.headers}
            self.send_response(found.status_code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", found.headers.get("Content-Length", "0"))
            self.end_headers()
            if self.command == "GET":
                for block in found.iter_raw(1 << 16):
                    self.wfile.write(block)

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def gate(hub: str, **how: Any) -> Iterator[Gate]:
    """A gate on a free port, for as long as the block lasts."""
    with Gate(hub, **how) as door, door.client:
        thread = threading.Thread(target=door.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield door
        finally:
            door.shutdown()
            thread.join()
