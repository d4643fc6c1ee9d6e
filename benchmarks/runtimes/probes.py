"""The part `probes`: how soon our servers say that they live while all their threads transcribe, as a kubelet asks."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from benchmarks.report import say
from benchmarks.runtimes.calls import TIMEOUT, Upload, call
from benchmarks.runtimes.clips import Clip
from benchmarks.runtimes.contenders import NPU, OURS
from benchmarks.runtimes.servers import running
from tests.support.waiting import wait_until

_LOOKS = 500
_PAUSE = 0.01
"""Seconds between two looks: they are to meet every stage of the work, and not to be the work."""


@dataclass(frozen=True, slots=True)
class Probed:
    """The seconds of each answer of one server to `GET /livez`, connecting included."""

    server: str
    seconds: Sequence[float]


def probed(clip: Clip, threads: int) -> list[Probed]:
    """Each of our servers alone on the machine, with more clips at hand than it has threads."""
    found = []
    for name in (OURS, NPU):
        with running(name, threads) as server, _at_work(server.url, server.upload(clip.file, words=False), threads + 1):
            say(f"{name}: {_LOOKS} probes while it transcribes")
            found.append(Probed(name, list(_looks(server.url))))
    return found


def _looks(url: str) -> Iterator[float]:
    for _ in range(_LOOKS):
        time.sleep(_PAUSE)
        begun = time.perf_counter()
        _got(url, "/livez")
        yield time.perf_counter() - begun


def _got(url: str, path: str) -> bytes:
    """The body, over a connection of its own."""
    at = urlsplit(url)
    wire = http.client.HTTPConnection(at.hostname or "", at.port, timeout=TIMEOUT)
    try:
        wire.request("GET", path)
        answer = wire.getresponse()
        body = answer.read()
    finally:
        wire.close()
    if answer.status != http.client.OK:
        raise RuntimeError(f"{url}{path} answered {answer.status}: {body[:300].decode(errors='replace')}")
    return body


@contextmanager
def _at_work(url: str, sent: Upload, callers: int) -> Iterator[None]:
    """So many callers, each of whom sends again when it has its answer, until the block ends."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            call(sent)

    with ThreadPoolExecutor(callers) as pool:
        working = [pool.submit(work) for _ in range(callers)]
        try:
            busy = lambda: json.loads(_got(url, "/health"))["queue"]["depth"] == callers  # noqa: E731 - a condition
            wait_until(busy, within=TIMEOUT, every=0.01, what=f"{callers} clips are at work or wait")
            yield
        finally:
            over.set()
        for one in working:
            one.result()
