"""Answers `GET /progress` while a Job works, so that the operator can put bytes, speed and ETA into a status."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from whisper_models.progress import Progress


class _Server(ThreadingHTTPServer):
    """Listens on every address of the pod, of both families where there are both."""

    daemon_threads = True
    address_family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET

    def __init__(self, port: int, progress: Progress) -> None:
        self.progress = progress
        super().__init__(("", port), _Handler)

    def server_bind(self) -> None:
        """Take IPv4 as well on a socket of IPv6."""
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        known = self.path == "/progress"
        body = json.dumps(
            self.server.progress.snapshot().as_json() if known else {"error": "ask for /progress"}
        ).encode()
        self.send_response(HTTPStatus.OK if known else HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Being asked every few seconds is no news."""


@contextmanager
def serving(progress: Progress, port: int | None) -> Iterator[int | None]:
    """Serve for the length of the block and yield the port; do nothing when none is wanted."""
    if port is None:
        yield None
        return
    with _Server(port, progress) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
