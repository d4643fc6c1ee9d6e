"""Probes while every thread transcribes and many uploads arrive slowly, and what is left after hours of mixed load."""

import asyncio
import gc
import math
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import cycle
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.contract.runtime.process import process
from tests.contract.runtime.service import TIMEOUT, Service, cpu_engine, long_speech, serving
from tests.contract.runtime.test_together import BAD, GOOD
from tests.support.waiting import wait_until

UPLOADS, LOOKS = 100, 200
SLOWEST = 0.5
"""Ten times the promise: this runs beside whatever else a machine does."""
LOAD_SECONDS = 6.0
LONG_LOAD_SECONDS = float(os.environ.get("WHISPER_LOAD_SECONDS", "7200"))
GROWTH = 64 << 20
"""Allocators keep what they have: a leak of one clip a request would be more within a minute."""


def test_livez_answers_in_time_while_all_threads_are_at_work_and_uploads_drip(
    capsys: pytest.CaptureFixture[str],
) -> None:
    flags = ("--workers", "2", "--threads", "2", "--max-queue-seconds", "100000")
    with process(*flags) as (_, url), dripping(url, UPLOADS) as wires, working(url, 2):
        took = sorted(_livez(url, wires))
    p99 = took[math.ceil(0.99 * len(took)) - 1]
    with capsys.disabled():
        print(f"/livez beside {UPLOADS} slow uploads: p50 {took[len(took) // 2]:.4f} s, p99 {p99:.4f} s")  # noqa: T201
    assert p99 < SLOWEST


def _livez(url: str, wires: list[socket.socket]) -> Iterator[float]:
    """The seconds that each of many answers took, while another upload sends another byte each time."""
    with httpx.Client(base_url=url, timeout=TIMEOUT) as client:
        for wire, _ in zip(cycle(wires), range(LOOKS), strict=False):
            wire.sendall(b"0")
            begun = time.perf_counter()
            assert client.get("/livez").status_code == httpx.codes.OK
            yield time.perf_counter() - begun


@contextmanager
def dripping(url: str, count: int) -> Iterator[list[socket.socket]]:
    """So many clients, each in the middle of an upload."""
    at = urlsplit(url)
    head = f"POST /transcribe HTTP/1.1\r\nhost: {at.netloc}\r\ncontent-length: 4000000\r\n"
    part = '--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
    with ExitStack() as open_wires:
        wires = [open_wires.enter_context(socket.create_connection((at.hostname, at.port))) for _ in range(count)]
        for wire in wires:
            wire.sendall(f"{head}content-type: multipart/form-data; boundary=x\r\n\r\n{part}".encode())
        yield wires


@contextmanager
def working(url: str, workers: int) -> Iterator[None]:
    """So many long files and more are being transcribed, one after the other, until this ends."""
    audio, over = long_speech(), threading.Event()

    def send() -> None:
        while not over.is_set():
            httpx.post(f"{url}/transcribe", files={"file": audio}, timeout=TIMEOUT).raise_for_status()

    with ThreadPoolExecutor(workers + 1) as senders:
        sent = [senders.submit(send) for _ in range(workers + 1)]
        depth = lambda: httpx.get(f"{url}/health").json()["queue"]["depth"] > workers  # noqa: E731 - a condition
        try:
            wait_until(depth, within=TIMEOUT, every=0.01, what="all threads are at work")
            yield
        finally:
            over.set()
    assert [one.result() for one in sent] == [None] * len(sent)


def test_mixed_load_leaves_nothing_behind() -> None:
    _load_and_compare(LOAD_SECONDS)


@pytest.mark.long
@pytest.mark.timeout(LONG_LOAD_SECONDS + 900)
def test_hours_of_mixed_load_leave_nothing_behind() -> None:
    _load_and_compare(LONG_LOAD_SECONDS)


def _load_and_compare(seconds: float) -> None:
    with serving(*cpu_engine(), max_queue_seconds=600) as service:
        _mixed(service, seconds / 3)
        gc.collect()
        warm, memory = _held(service), _resident()
        _mixed(service, seconds * 2 / 3)
        wait_until(
            lambda: _none_more(_held(service), warm), within=TIMEOUT, every=0.1, what=f"as after warm-up: {warm}"
        )
        gc.collect()
        assert _resident() - memory < GROWTH
        assert (service.runtime.scratch.held, service.runtime.admission.queued_seconds) == (0, 0)


def _mixed(service: Service, seconds: float) -> None:
    """Every kind of request, good and bad, and clients that hang up in the middle, over and over."""
    end = time.monotonic() + seconds
    kinds = [*GOOD.values(), *BAD.values()]
    with ThreadPoolExecutor(6) as senders:
        while True:
            answers = list(senders.map(lambda kind: kind(service).status_code, kinds))
            assert answers[: len(GOOD)] == [200] * len(GOOD)
            assert all(400 <= status < 500 for status in answers[len(GOOD) :] if status != httpx.codes.OK)
            with service.busy():
                pass
            if time.monotonic() > end:
                break
    wait_until(lambda: service.runtime.life.in_flight == 0, within=TIMEOUT, every=0.01, what="all are answered")


def _held(service: Service) -> tuple[int, int, int]:
    """Tasks, threads and open files."""

    async def tasks() -> int:
        return len(asyncio.all_tasks())

    return service.on_its_loop(tasks), threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))


def _none_more(now: tuple[int, ...], before: tuple[int, ...]) -> bool:
    return all(a <= b for a, b in zip(now, before, strict=True))


def _resident() -> int:
    (kibibytes,) = re.findall(r"VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(kibibytes) * 1024
