"""Probes while every thread transcribes and many uploads arrive slowly, and what is left after hours of mixed load."""

import asyncio
import base64
import ctypes
import gc
import math
import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import cycle
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from whisper_runtime.engine import Artifact, Engine

from tests.contract.runtime.process import process
from tests.contract.runtime.service import (
    TIMEOUT,
    Service,
    long_speech,
    multilingual_cpu,
    multilingual_npu,
    npu_engine,
    serving,
)
from tests.contract.runtime.test_together import BAD, CLIP, GOOD, OPENAI, Kind, json_posted, posted
from tests.support.media import FFMPEG, by_ffmpeg
from tests.support.processes import memory_mib, tree
from tests.support.waiting import wait_until
from tests.support.words import jfk

UPLOADS, LOOKS = 100, 200
SLOWEST = 0.5
"""Ten times the promise: this runs beside whatever else a machine does."""
WORKING = {"cpu": multilingual_cpu, "npu": npu_engine}
"""The engines that hear, each with a share of the time; a minute is short for two of the larger model."""
LASTING = {"cpu": multilingual_cpu, "npu": multilingual_npu}
LOAD_SECONDS = 60.0
LONG_LOAD_SECONDS = float(os.environ.get("WHISPER_LOAD_SECONDS", "7200")) / len(LASTING)
GROWTH = 64 << 20
"""A leak of one clip a request would be more within a minute."""


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
        depth = lambda: httpx.get(f"{url}/health", timeout=TIMEOUT).json()["queue"]["depth"] > workers  # noqa: E731 - a condition
        try:
            wait_until(depth, within=TIMEOUT, every=0.01, what="all threads are at work")
            yield
        finally:
            over.set()
    assert [one.result() for one in sent] == [None] * len(sent)


@pytest.mark.parametrize("engine", WORKING)
def test_mixed_load_leaves_nothing_behind(engine: str) -> None:
    _load_and_compare(*WORKING[engine](), LOAD_SECONDS)


@pytest.mark.long
@pytest.mark.timeout(LONG_LOAD_SECONDS + 900)
@pytest.mark.parametrize("engine", LASTING)
def test_hours_of_mixed_load_leave_nothing_behind(engine: str) -> None:
    _load_and_compare(*LASTING[engine](), LONG_LOAD_SECONDS)


def _load_and_compare(engine: Engine, artifact: Artifact, seconds: float) -> None:
    with serving(engine, artifact, max_queue_seconds=600) as service:
        _mixed(service, seconds / 3)
        warm, memory = _held(service), resident()
        rounds = _mixed(service, seconds * 2 / 3)
        wait_until(
            lambda: _none_more(_held(service), warm), within=TIMEOUT, every=0.1, what=f"as after warm-up: {warm}"
        )
        grown = resident() - memory
        print(f"{engine.info.runtime}: {grown / 2**20:+.0f} MiB to {memory / 2**20:.0f} after {rounds} rounds more")  # noqa: T201 - seen with -s
        assert grown < GROWTH
        assert (service.runtime.scratch.held, service.runtime.admission.queued_seconds) == (0, 0)


def _mixed(service: Service, seconds: float) -> int:
    """Every kind of request, good and bad, and clients that hang up in the middle, over and over: how many times."""
    end, rounds = time.monotonic() + seconds, 0
    good = [*GOOD.values(), *_more(service.runtime.engine.info.capabilities)]
    with ThreadPoolExecutor(6) as senders:
        while not rounds or time.monotonic() < end:
            rounds += 1
            answers = list(senders.map(lambda kind: kind(service).status_code, [*good, *BAD.values()]))
            assert answers[: len(good)] == [200] * len(good)
            assert all(400 <= status < 500 for status in answers[len(good) :] if status != httpx.codes.OK)
            with service.busy():
                pass
    wait_until(lambda: service.runtime.life.in_flight == 0, within=TIMEOUT, every=0.01, what="all are answered")
    return rounds


def _more(capabilities: frozenset[str]) -> list[Kind]:
    """What is heard anew each time, comes in a codec, is left to chance, or asks for a language if there are more."""
    files = [by_ffmpeg(jfk(), 16_000, kind) for kind in FFMPEG if kind.name in ("m4a", "opus")]
    warm = [posted("/transcribe", temperature="0.4"), posted(OPENAI, temperature="1")]
    kinds = [*(posted("/transcribe", file) for file in files), *warm, _chunk, _job]
    if "translate" in capabilities:
        kinds += [posted("/transcribe", task="translate"), posted(OPENAI, language="German")]
    return kinds


def _chunk(service: Service) -> httpx.Response:
    """One that was never sent before, so that it is heard."""
    sent = {"session_id": "s", "chunk_id": uuid4().hex, "audio_data": base64.b64encode(CLIP).decode()}
    return json_posted("/api/process-chunk", **sent)(service)


def _job(service: Service) -> httpx.Response:
    """One that is done, and gone with its answer."""
    with httpx.Client(base_url=service.url, timeout=TIMEOUT) as client:
        at = client.post("/batch/process", files={"file": CLIP}).headers["location"]
        done = lambda: client.get(at).json()["status"] == "done"  # noqa: E731 - a condition
        wait_until(done, within=TIMEOUT, every=0.1, what="the job is done")
        return client.delete(at)


def _held(service: Service) -> tuple[int, ...]:
    """Tasks, Python's threads, and of this process and those that engines compute in: processes and open files."""

    async def tasks() -> int:
        return len(asyncio.all_tasks())

    processes = list(tree(os.getpid()))
    files = sum(len(list(Path(f"/proc/{one}/fd").iterdir())) for one in processes)
    return service.on_its_loop(tasks), threading.active_count(), len(processes), files


def _none_more(now: tuple[int, ...], before: tuple[int, ...]) -> bool:
    return all(a <= b for a, b in zip(now, before, strict=True))


def resident() -> float:
    """Bytes in use, with those of the processes that engines compute in.

    First everything free is given back: glibc keeps tens of megabytes of it for each thread that was busy once.
    """
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return sum(memory_mib(one, "VmRSS") for one in tree(os.getpid())) * 2**20
