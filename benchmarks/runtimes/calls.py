"""Callers of a server: uploads over loopback one after the other or several at a time."""

from __future__ import annotations

import http.client
import io
import json
import re
import socket
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from typing import Any, cast
from urllib.parse import urlsplit

import httpx

TIMEOUT = 300
_PIECE = 1 << 16
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class CallError(RuntimeError):
    """A server answered with something else than a transcript."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A request as it goes over the wire, made once and sent many times, so that making it is in nobody's time."""

    address: str
    wire: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and the seconds from connecting to the last byte received."""

    seconds: float
    body: Mapping[str, Any]

    @property
    def text(self) -> str:
        return str(self.body["text"])

    @property
    def engine_seconds(self) -> float:
        """What our runtimes say that hearing took: what the library takes as well, a look for voices included."""
        timings = self.body["timings"]
        return float(timings["inference"]) + float(timings["vad"] or 0.0)


@dataclass(frozen=True, slots=True)
class Crowd:
    """Callers in closed loops: how long they took for all their calls together."""

    seconds: float
    answers: int

    @property
    def per_second(self) -> float:
        return self.answers / self.seconds


def upload(address: str, audio: bytes, fields: Mapping[str, str]) -> Upload:
    """A form with a file, as curl sends it."""
    request = httpx.Request("POST", address, files={"file": ("clip.wav", audio, "audio/wav")}, data=fields)
    body = request.read()
    lines = (b"POST %s HTTP/1.1" % request.url.raw_path, *(b"%s: %s" % header for header in request.headers.raw))
    return Upload(address, b"\r\n".join((*lines, b"", body)))


def call(sent: Upload) -> Answer:
    """Connect, send and wait. What came is read once the clock has stopped: a caller's own work is not the server's.

    Raises:
        CallError: the answer is not 200
    """
    at = urlsplit(sent.address)
    received = bytearray()
    begun = ended = time.perf_counter()
    with socket.create_connection((at.hostname, at.port), TIMEOUT) as wire:
        wire.sendall(sent.wire)
        while not _whole(received) and (piece := wire.recv(_PIECE)):
            ended = time.perf_counter()
            received += piece
    answer = http.client.HTTPResponse(cast("socket.socket", _Received(received)))
    answer.begin()
    said = answer.read()
    if answer.status != http.client.OK:
        raise CallError(f"{sent.address} answered {answer.status}: {said[:300].decode(errors='replace')}")
    return Answer(ended - begun, json.loads(said))


def _whole(received: bytearray) -> bool:
    """Whether all of an answer that says its length is there; one that does not ends with the connection."""
    head, ended, body = received.partition(b"\r\n\r\n")
    said = _LENGTH.search(head)
    return bool(ended and said and len(body) >= int(said[1]))


class _Received(io.BytesIO):
    """What came over a socket, for a reader that wants the socket."""

    def makefile(self, _: str) -> io.BytesIO:
        return self


def crowd(sent: Upload, callers: int, calls: int) -> Crowd:
    """So many callers share so many calls; each sends its next when it has the answer to its last."""
    numbers, ready = count(), threading.Barrier(callers + 1, timeout=TIMEOUT)

    def work() -> None:
        ready.wait()
        while next(numbers) < calls:
            call(sent)

    with ThreadPoolExecutor(callers) as pool:
        working = [pool.submit(work) for _ in range(callers)]
        ready.wait()
        begun = time.perf_counter()
        for one in working:
            one.result()
        return Crowd(time.perf_counter() - begun, calls)
