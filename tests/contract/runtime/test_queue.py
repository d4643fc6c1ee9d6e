"""Admission, cancellation, deadlines, failures of the engine, start and drain."""

import base64
import contextlib
import socket
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast
from urllib.parse import urlsplit

import httpx
import pytest
from whisper_models.artifact import Canary
from whisper_runtime.api import json_audio, transcriptions
from whisper_runtime.api.forms import TranscribeForm
from whisper_runtime.engine import Artifact
from whisper_runtime.fake import FakeEngine
from whisper_runtime.serving.lifecycle import Phase

from tests.contract.runtime.service import TIMEOUT, Service, fake_engine, hanging_up, long_speech, serving
from tests.support.waiting import wait_until
from tests.support.words import JFK, JFK_WORDS, SAMPLE

CLIP = JFK.read_bytes()


def test_a_long_file_leaves_half_of_the_queue_to_others() -> None:
    """The minute is longer than the whole queue, and yet somebody else has room beside it."""
    with serving(*fake_engine(), max_queue_seconds=30) as service, service.busy(), ThreadPoolExecutor(1) as senders:
        short = senders.submit(service.send, CLIP)
        wait_until(lambda: service.queue == 2, within=TIMEOUT, every=0.01, what="the short one is admitted")
        refused = service.send(long_speech())
        cast("FakeEngine", service.runtime.engine).release.set()
        assert short.result().status_code == 200
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "queue_full")
    assert refused.json()["error"]["message"].startswith("another long file is being heard, with 60 seconds left")


def test_a_full_queue_answers_503_with_a_time_to_come_back_and_stays_ready(service: Service) -> None:
    with service.busy():
        answer = service.send(long_speech())
        ready = service.client.get("/readyz").status_code
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "queue_full")
    assert int(answer.headers["retry-after"]) >= 1
    assert int(answer.headers["retry-after-ms"]) >= 100
    assert "x-should-retry" not in answer.headers
    assert ready == 200
    assert service.send(CLIP).status_code == 200


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/transcribe", "application/json"),
        ("/transcribe", "multipart/form-data; boundary=x"),
        ("/v1/audio/transcriptions", "multipart/form-data; boundary=x"),
    ],
)
def test_a_full_queue_refuses_an_upload_before_it_is_sent(path: str, kind: str) -> None:
    with (
        serving(*fake_engine(), max_queue_seconds=60) as service,
        service.busy(),
        hanging_up(service.url, SAMPLE.read_bytes()),
    ):
        wait_until(lambda: service.queue == 2, within=TIMEOUT, every=0.01, what="both halves are taken")
        at = urlsplit(service.url)
        with socket.create_connection((at.hostname, at.port), timeout=TIMEOUT) as wire:
            head = f"POST {path} HTTP/1.1\r\nhost: {at.netloc}\r\ncontent-length: 1000\r\n"
            wire.sendall(f"{head}content-type: {kind}\r\n\r\n".encode())
            assert wire.recv(4096).startswith(b"HTTP/1.1 503 ")


def test_json_waits_on_disk_and_is_read_by_few_at_a_time_while_probes_are_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reading, most, on_disk, release, lock = 0, 0, [], threading.Event(), threading.Lock()
    real = json_audio.unpack

    def held(kind: type[TranscribeForm], body: SpooledTemporaryFile[bytes]) -> tuple[TranscribeForm, BinaryIO]:
        nonlocal reading, most
        with lock:
            reading, most = reading + 1, max(most, reading + 1)
        on_disk.append(body._rolled)  # type: ignore[attr-defined]  # nothing public tells
        release.wait(TIMEOUT)
        with lock:
            reading -= 1
        return real(kind, cast("BinaryIO", body))

    monkeypatch.setattr(transcriptions, "unpack", held)
    body = {"audio_data": base64.b64encode(long_speech()).decode()}
    with serving(*fake_engine(), max_queue_seconds=600) as service, ThreadPoolExecutor(4) as senders:
        send = partial(httpx.post, f"{service.url}/transcribe", json=body, timeout=60)
        sent = [senders.submit(send) for _ in range(4)]
        wait_until(lambda: service.runtime.life.in_flight == 4 and reading == 2, within=TIMEOUT, every=0.01, what="two")
        live = service.client.get("/livez").status_code
        release.set()
        assert [answer.result().status_code for answer in sent] == [200] * 4
    assert live == 200
    assert (most, on_disk) == (2, [True] * 4)


def test_a_client_that_hangs_up_frees_its_place(service: Service) -> None:
    with service.busy():
        pass
    assert service.queue == 0
    wait_until(lambda: service.runtime.life.in_flight == 0, within=TIMEOUT, every=0.01, what="it is gone")
    assert service.send(CLIP).status_code == 200


def test_a_failure_of_the_engine_is_one_requests_failure(fake: tuple[Service, FakeEngine]) -> None:
    service, engine = fake
    engine.failure = RuntimeError("boom")
    failed = service.send(CLIP)
    assert (failed.status_code, failed.json()["error"]["code"]) == (500, "engine_error")
    engine.failure = None
    assert service.send(CLIP).status_code == 200


def test_a_request_that_takes_too_long_gets_504() -> None:
    engine = FakeEngine()
    with serving(engine, Artifact(JFK, "tiny.en", "int8", 1), request_seconds=2) as service:
        engine.release.clear()
        answer = service.send(CLIP)
        assert (answer.status_code, answer.json()["error"]["code"]) == (504, "deadline_exceeded")
        wait_until(lambda: service.queue == 0, within=TIMEOUT, every=0.02, what="the engine stopped")
        engine.release.set()
        service.runtime.settings = service.runtime.settings.model_copy(update={"request_seconds": TIMEOUT})
        assert service.send(CLIP).status_code == 200


def test_before_the_model_is_loaded_only_livez_says_yes() -> None:
    engine = FakeEngine(hold=True)
    artifact = fake_engine()[1]
    with serving(engine, artifact, await_ready=False) as service:
        phase = lambda: service.runtime.life.phase is Phase.WARMING  # noqa: E731 - a condition
        wait_until(phase, within=TIMEOUT, every=0.01, what="the canary is being run")
        probes = {p: service.client.get(p).status_code for p in ("/livez", "/readyz", "/startupz", "/health")}
        status = service.client.get("/health").json()["status"]
        early = service.send(CLIP)
        engine.release.set()
        wait_until(service.ready, within=TIMEOUT, every=0.02, what="ready")
    assert probes == {"/livez": 200, "/readyz": 503, "/startupz": 503, "/health": 503}
    assert status == "starting"
    assert (early.status_code, early.json()["error"]["code"]) == (503, "loading")
    assert early.headers["retry-after"]


@pytest.mark.parametrize(("text", "phase"), [(JFK_WORDS.upper(), Phase.READY), ("Something else.", Phase.FAILED)])
def test_the_canary_must_give_the_words_that_validation_recorded(text: str, phase: Phase) -> None:
    engine, artifact = fake_engine()
    artifact = replace(artifact, path=JFK.parent, canary=Canary(clip=JFK.name, text=text))
    with serving(engine, artifact, await_ready=False) as service:
        wait_until(lambda: service.runtime.life.phase is phase, within=TIMEOUT, every=0.02, what=f"{phase}")
        proved = 'check="words"' in service.client.get("/metrics").text
    assert proved == (phase is Phase.READY)


def test_a_model_that_does_not_load_is_failed_and_says_why() -> None:
    engine = FakeEngine()
    engine.load_failure = ValueError("no such graph")
    with serving(engine, fake_engine()[1], await_ready=False) as service:
        failed = lambda: service.runtime.life.phase is Phase.FAILED  # noqa: E731 - a condition
        wait_until(failed, within=TIMEOUT, every=0.02, what="loading failed")
        health = service.client.get("/health")
    assert health.status_code == 503
    assert (health.json()["status"], health.json()["reason"]) == ("failed", "ValueError: no such graph")


def test_draining_finishes_what_is_in_flight_and_refuses_the_rest(fake: tuple[Service, FakeEngine]) -> None:
    service, engine = fake
    engine.release.clear()
    answers: list[httpx.Response] = []
    sending = threading.Thread(
        target=lambda: answers.append(httpx.post(f"{service.url}/transcribe", files={"file": CLIP}, timeout=TIMEOUT))
    )
    sending.start()
    wait_until(lambda: service.queue == 1, within=TIMEOUT, every=0.01, what="a request is in flight")
    service.runtime.life.enter(Phase.DRAINING)
    refused = service.send(CLIP)
    ready = service.client.get("/readyz").status_code
    live = service.client.get("/livez").status_code
    health = service.client.get("/health")
    engine.release.set()
    sending.join(TIMEOUT)
    assert (health.status_code, health.json()["status"]) == (200, "draining")
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "draining")
    assert (ready, live) == (503, 200)
    assert answers[0].status_code == 200


def test_what_is_not_finished_when_draining_is_over_is_answered_and_not_dropped(
    fake: tuple[Service, FakeEngine],
) -> None:
    service, engine = fake
    engine.release.clear()
    answers: list[httpx.Response] = []
    sending = threading.Thread(
        target=lambda: answers.append(httpx.post(f"{service.url}/transcribe", files={"file": CLIP}, timeout=TIMEOUT))
    )
    sending.start()
    wait_until(lambda: service.queue == 1, within=TIMEOUT, every=0.01, what="a request is in flight")
    service.runtime.settings = service.runtime.settings.model_copy(update={"drain_seconds": 0.1})
    finished = service.on_its_loop(service.runtime.drain)
    sending.join(TIMEOUT)
    assert not finished
    assert (answers[0].status_code, answers[0].json()["error"]["code"]) == (503, "draining")


def test_requests_that_ran_out_of_time_leave_nothing_behind() -> None:
    engine, upload, others = FakeEngine(), long_speech(), _files_on_disk()
    with serving(engine, fake_engine()[1], max_queue_seconds=600, request_seconds=10) as service:
        engine.release.clear()
        with ThreadPoolExecutor(5) as senders:
            sent = [senders.submit(service.send, upload) for _ in range(5)]
            wait_until(
                lambda: _files_on_disk() == others + 5, within=TIMEOUT, every=0.01, what="the uploads are on disk"
            )
            assert [future.result().status_code for future in sent] == [504] * 5
        runtime = service.runtime

        def held() -> tuple[object, ...]:
            at_work = len(runtime.inference.threads.counters())
            return service.queue, runtime.life.in_flight, runtime.scratch.held, _files_on_disk(), at_work

        wait_until(lambda: held() == (0, 0, 0, others, 0), within=TIMEOUT, every=0.01, what="all is given back")
        assert runtime.admission.queued_seconds == 0
        engine.release.set()
        assert service.send(CLIP).status_code == 200


def _files_on_disk() -> int:
    """Uploads that are open: their names are gone from the folder at once."""
    count = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            target = str(descriptor.readlink())
            count += target.startswith(tempfile.gettempdir()) and target.endswith(" (deleted)")
    return count
