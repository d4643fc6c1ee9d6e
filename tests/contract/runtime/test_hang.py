"""A thread that hangs, or is gone, is noticed: what waits is answered at once, and the process ends with a reason."""

import json
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from whisper_runtime.api import intake
from whisper_runtime.engine import Waveform
from whisper_runtime.fake import FakeEngine
from whisper_runtime.serving.lifecycle import Phase

from tests.contract.runtime.process import answers, process
from tests.contract.runtime.service import TIMEOUT, Service, fake_engine, long_speech, serving
from tests.contract.runtime.stopped_thread import busiest_thread, stopped
from tests.support.waiting import wait_until
from tests.support.words import JFK

CLIP = JFK.read_bytes()
HUNG: dict[str, Any] = {"hung_seconds": 1.0, "max_queue_seconds": 600}


def post(url: str, audio: bytes = CLIP) -> httpx.Response:
    return httpx.post(f"{url}/transcribe", files={"file": audio}, timeout=TIMEOUT)


@contextmanager
def hanging(seconds: int) -> Iterator[tuple[Service, FakeEngine]]:
    """A runtime whose engine hangs from now on; it is noticed when all that is to happen before has happened."""
    engine = FakeEngine()
    with serving(engine, fake_engine()[1], **(HUNG | {"hung_seconds": seconds})) as service:
        engine.moving.clear()
        try:
            yield service, engine
        finally:
            engine.moving.set()


def in_flight(service: Service, count: int) -> Callable[[], bool]:
    return lambda: service.runtime.life.in_flight == count


def test_all_that_waits_and_all_that_comes_is_answered_503_and_the_probes_say_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with hanging(6) as (service, _), ThreadPoolExecutor(5) as senders:
        sent = [senders.submit(post, service.url) for _ in range(5)]
        wait_until(in_flight(service, 5), within=TIMEOUT, every=0.01, what="one is at work and four wait")
        told = [future.result() for future in sent]
        late = service.send(CLIP)
        probes = {path: service.client.get(path).status_code for path in ("/livez", "/readyz", "/health")}
        reason = service.client.get("/health").json()["reason"]
        metrics = service.client.get("/metrics").text
    for answer in (*told, late):
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "device_lost")
        assert int(answer.headers["retry-after"]) >= 1
        assert "x-should-retry" not in answer.headers
    assert probes == {"/livez": 503, "/readyz": 503, "/health": 503}
    assert reason.startswith("InferenceHung: no progress for 6 seconds")
    assert re.search(r"^whisper_hung_threads_total{.*} 1.0$", metrics, re.MULTILINE)
    (hung,) = [record for record in caplog.records if "no progress" in record.message]
    assert getattr(hung, "request_id", None) in {answer.headers["x-request-id"] for answer in told}


def test_a_runtime_that_hangs_while_it_drains_does_not_keep_its_requests() -> None:
    with hanging(3) as (service, _), ThreadPoolExecutor(1) as senders:
        sent = senders.submit(post, service.url)
        wait_until(in_flight(service, 1), within=TIMEOUT, every=0.01, what="a request is in flight")
        service.runtime.life.enter(Phase.DRAINING)
        assert sent.result().json()["error"]["code"] == "device_lost"
        assert service.runtime.life.failed


def test_a_request_whose_time_is_over_gets_504_and_its_thread_is_still_watched() -> None:
    engine = FakeEngine()
    with serving(engine, fake_engine()[1], hung_seconds=4, request_seconds=2) as service:
        engine.moving.clear()
        answer = service.send(CLIP)
        kept = service.queue
        wait_until(lambda: service.runtime.life.failed, within=TIMEOUT, every=0.01, what="the hang is noticed")
        engine.moving.set()
        assert (answer.status_code, answer.json()["error"]["code"]) == (504, "deadline_exceeded")
        assert kept == 1, "its place is taken as long as its thread is"
        wait_until(lambda: service.queue == 0, within=TIMEOUT, every=0.01, what="the thread has noticed")


def test_a_file_whose_reading_hangs_is_noticed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    going_on = threading.Event()

    def stuck(*_: object) -> Waveform:
        going_on.wait(TIMEOUT)
        raise AssertionError

    monkeypatch.setattr(intake, "decode", stuck)
    with serving(*fake_engine(), **HUNG) as service:
        answer = service.send(CLIP)
        going_on.set()
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "device_lost")


def test_work_that_is_slow_but_goes_on_is_left_alone() -> None:
    engine = FakeEngine()
    with serving(engine, fake_engine()[1], **HUNG) as service:
        engine.release.clear()  # polls, and says nothing
        looks = threading.Event()
        real, seen = service.runtime._look, 0

        def look(elapsed: float) -> None:
            nonlocal seen
            real(elapsed)
            seen += 1
            if seen > 2 * 5:
                looks.set()

        service.runtime._look = look  # type: ignore[method-assign]  # counts the looks
        with ThreadPoolExecutor(1) as senders:
            sent = senders.submit(post, service.url)
            assert looks.wait(TIMEOUT), "twice the limit has passed"
            engine.release.set()
            assert sent.result().status_code == 200


def test_a_thread_that_is_gone_does_not_leave_its_queue_stuck() -> None:
    crashing = [sys.executable, "-m", "tests.contract.runtime.crashing"]
    with process("--hung-seconds", "1", command=crashing) as (running, url), ThreadPoolExecutor(3) as senders:
        sent = [senders.submit(post, url) for _ in range(3)]
        assert [future.result().json()["error"]["code"] for future in sent] == ["device_lost"] * 3
        assert running.wait(30) == 1


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), StopIteration()])
def test_whatever_an_engine_raises_is_one_requests_failure(error: BaseException) -> None:
    engine = FakeEngine()
    with serving(engine, fake_engine()[1]) as service:
        engine.failure = error
        failed = service.send(CLIP)
        engine.failure = None
        assert (failed.status_code, failed.json()["error"]["code"]) == (500, "engine_error")
        assert service.send(CLIP).status_code == 200
        assert service.queue == 0


def test_a_process_whose_inference_thread_hangs_ends_itself_with_a_reason(tmp_path: Path) -> None:
    word = tmp_path / "termination-log"
    word.touch()
    flags = ["--hung-seconds", "6", "--max-queue-seconds", "600", "--termination-log", str(word)]
    with process(*flags) as (running, url), ThreadPoolExecutor(4) as senders:
        sent: list[Future[httpx.Response]] = [senders.submit(partial(post, url, long_speech())) for _ in range(4)]
        queued = lambda: httpx.get(f"{url}/health", timeout=TIMEOUT).json()["queue"]["depth"] == 4  # noqa: E731 - a condition
        wait_until(queued, within=TIMEOUT, every=0.01, what="four are in the queue")
        thread = busiest_thread(running.pid)
        with stopped(thread, while_alive=lambda: answers(f"{url}/livez", within=2) == 200):
            told = [future.result() for future in sent]
            late = answers(f"{url}/readyz")
        assert running.wait(30) == 1
        assert running.stderr is not None
        lines = [json.loads(line) for line in running.stderr.read().splitlines()]
    assert late in (503, None)
    finished = [answer for answer in told if answer.status_code == 200]
    lost = [answer.json()["error"]["code"] for answer in told if answer not in finished]
    assert len(lost) >= 1
    assert lost == ["device_lost"] * len(lost)
    assert re.fullmatch(r"InferenceHung: no progress for \d+ seconds: the runtime is started anew\n", word.read_text())
    (hung,) = [line for line in lines if "no progress" in line["message"]]
    assert hung["request_id"] in {answer.headers["x-request-id"] for answer in told}


def test_a_process_that_was_stopped_for_longer_than_that_goes_on() -> None:
    with process("--hung-seconds", "5") as (running, url), ThreadPoolExecutor(1) as senders:
        sent = senders.submit(post, url, long_speech())
        busy = lambda: httpx.get(f"{url}/health", timeout=TIMEOUT).json()["queue"]["depth"] == 1  # noqa: E731 - a condition
        wait_until(busy, within=TIMEOUT, every=0.01, what="a request is in flight")
        running.send_signal(signal.SIGSTOP)
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{url}/livez", timeout=8)
        running.send_signal(signal.SIGCONT)
        assert sent.result().status_code == 200
        assert answers(f"{url}/readyz") == 200
