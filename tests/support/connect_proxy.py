"""A small proxy for HTTPS as companies have them: asks for name and password, and passes on what it cannot read."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BLOCK = 64 * 1024
QUIET = 60.0
"""Seconds without a byte after which a tunnel is taken for dead."""


class ConnectProxy(ThreadingHTTPServer):
    """Knows where its names lead, which nobody else does."""

    daemon_threads = True

    def __init__(self, names: Mapping[str, tuple[str, int]], login: str | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.names = names
        self.login = login
        self.asked: list[tuple[str, str, int]] = []
        """Each request: its method, its target, and the status that it got."""
        self.carried = bytearray()
        """The first bytes of what was passed on, in both directions."""

    @property
    def address(self) -> str:
        """Host and port."""
        host, port = self.server_address[:2]
        return f"{host!s}:{port}"


class _Handler(BaseHTTPRequestHandler):
    server: ConnectProxy
    protocol_version = "HTTP/1.1"

    def do_CONNECT(self) -> None:
        host = self.path.rpartition(":")[0]
        status = self._status(host)
        self.server.asked.append((self.command, self.path, status))
        if status != 200:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.close_connection = True
        with socket.create_connection(self.server.names[host], timeout=QUIET) as behind:
            self.send_response(status)
            self.end_headers()
            self._pass_on(behind)

    def do_GET(self) -> None:
        """What is not a tunnel could be read on the way, and is refused."""
        self.server.asked.append((self.command, self.path, 405))
        self.send_error(405)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """What was asked is listed."""

    def _status(self, host: str) -> int:
        if self.server.login is not None:
            expected = "Basic " + base64.b64encode(self.server.login.encode()).decode()
            if self.headers.get("Proxy-Authorization") != expected:
                return 407
        return 200 if host in self.server.names else 502

    def _pass_on(self, behind: socket.socket) -> None:
        self.connection.settimeout(QUIET)
        back = threading.Thread(target=self._copy, args=(behind, self.connection), daemon=True)
        back.start()
        self._copy(self.connection, behind)
        back.join()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        """Until one end closes; then the other learns of it."""
        with suppress(OSError):
            while block := source.recv(BLOCK):
                if len(self.server.carried) < BLOCK:
                    self.server.carried += block
                target.sendall(block)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def connect_proxy(names: Mapping[str, tuple[str, int]], login: str | None = None) -> Iterator[ConnectProxy]:
    """A proxy on a free port of the loopback interface; `login` is `NAME:PASSWORD`."""
    with ConnectProxy(names, login) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
