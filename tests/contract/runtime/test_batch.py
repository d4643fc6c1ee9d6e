"""`/batch`: a file for which nobody waits, heard behind everybody else, and asked for later."""

import io
import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from http.client import HTTPConnection
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
import soundfile
from whisper_runtime.engine import Options, Stop, Transcript, Waveform
from whisper_runtime.fake import FakeEngine
from whisper_runtime.serving.lifecycle import Phase

from tests.contract.runtime.service import TIMEOUT, Service, fake_engine, long_speech, serving
from tests.contract.runtime.test_together import CHANGES, alike
from tests.support.waiting import wait_until
from tests.support.words import JFK, JFK_WORDS, word_errors

CLIP = JFK.read_bytes()
ROOMY: dict[str, Any] = {"max_queue_seconds": 600}


def send(service: Service, audio: bytes = CLIP, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
    return service.client.post("/batch/process", files={"file": audio}, data=fields, headers=headers)


def told(service: Service, taken: httpx.Response) -> dict[str, Any]:
    answer = service.client.get(taken.headers["location"])
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def ended(service: Service, taken: httpx.Response) -> dict[str, Any]:
    def end() -> dict[str, Any] | None:
        found = told(service, taken)
        return None if found["status"] in ("queued", "running") else found

    return cast("dict[str, Any]", wait_until(end, within=TIMEOUT, every=0.02, what="the job has ended"))


def is_at_work(service: Service, taken: httpx.Response) -> bool:
    return bool(told(service, taken)["status"] == "running")


def nothing_held(service: Service) -> bool:
    runtime = service.runtime
    return runtime.batch_scratch.held == 0 and not runtime.inference.threads.counters()


@pytest.fixture
def held() -> Iterator[tuple[Service, FakeEngine]]:
    """A runtime whose engine waits until it is released."""
    with holding() as running:
        yield running


@contextmanager
def holding(**settings: Any) -> Iterator[tuple[Service, FakeEngine]]:
    engine, artifact = fake_engine()
    assert isinstance(engine, FakeEngine)
    with serving(engine, artifact, **(ROOMY | settings)) as service:
        engine.asked.clear()
        engine.release.clear()
        yield service, engine
        engine.release.set()


def test_a_job_gives_what_transcribe_gives(service: Service) -> None:
    taken = send(service, word_timestamps="true", beam_size="5")
    assert taken.status_code == 202
    job = taken.json()
    assert (job["status"], job["result"], job["audio_seconds"]) == ("queued", None, 11.0)
    assert taken.headers["location"] == f"/batch/{job['id']}"
    assert job["degraded"] == ["beam_size"]
    done = ended(service, taken)
    assert (done["status"], done["progress"], done["seconds_left"], done["error"]) == ("done", 1.0, 0.0, None)
    assert done["created_at"] <= done["started_at"] <= done["ended_at"]
    result = done["result"]
    assert result["request_id"] == done["request_id"] == taken.headers["x-request-id"]
    assert word_errors(JFK_WORDS, result["text"]) == 0
    at_once = service.send(CLIP, word_timestamps="true", beam_size="5").json()
    same = [{name: value for name, value in one.items() if name not in CHANGES} for one in (result, at_once)]
    assert alike(*same)
    assert service.runtime.batch_scratch.held == 0


def test_what_it_does_not_take_is_named(service: Service) -> None:
    fields = {"audio_data": "QUJD", "sample_rate": "8000", "encoding": "pcm_s16le"}
    taken = service.client.post("/batch/process", files={"file": CLIP, "glossary": b"Americans"}, data=fields)
    named = ["audio_data", "encoding", "glossary", "sample_rate"]
    assert (taken.status_code, taken.headers["x-whisper-degraded"]) == (202, ", ".join(named))
    assert taken.json()["degraded"] == named
    assert ended(service, taken)["result"]["degraded"] == named


def test_it_is_a_capability_like_others(service: Service) -> None:
    assert "batch" in service.client.get("/models").json()["models"][0]["capabilities"]
    assert send(service, headers={"x-whisper-require": "batch"}).status_code == 202
    refused = send(service, headers={"x-whisper-require": "batch, diarization"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (421, "unsupported_here")


WRONG: list[tuple[bytes, dict[str, Any], int, str]] = [
    (b"", {}, 400, "audio_empty"),
    (b"words " * 99, {}, 415, "unsupported_audio"),
    (CLIP[: len(CLIP) // 2], {}, 422, "undecodable_audio"),
    (CLIP, {"model": "enormous"}, 404, "model_not_found"),
    (CLIP, {"task": "translate"}, 400, "unsupported_task"),
    (CLIP, {"temperature": "hot"}, 400, "invalid_request"),
    (CLIP, {"model": "tiny.en", "model_name": "base"}, 400, "invalid_request"),
]


@pytest.mark.parametrize(("audio", "fields", "status", "code"), WRONG)
def test_what_is_wrong_at_first_sight_is_refused_at_once(
    service: Service, audio: bytes, fields: dict[str, Any], status: int, code: str
) -> None:
    refused = send(service, audio, **fields)
    assert (refused.status_code, refused.json()["error"]["code"]) == (status, code)
    wait_until(lambda: nothing_held(service), within=TIMEOUT, every=0.01, what="all is given back")


def test_what_turns_out_to_be_wrong_is_the_jobs_error(service: Service) -> None:
    samples, rate = soundfile.read(JFK)
    whole = io.BytesIO()
    soundfile.write(whole, samples, rate, format="FLAC")
    failed = ended(service, send(service, whole.getvalue()[: len(whole.getvalue()) // 2]))
    assert (failed["status"], failed["result"], failed["error"]["code"]) == ("failed", None, "undecodable_audio")
    assert service.runtime.batch_scratch.held == 0
    assert ended(service, send(service))["status"] == "done"


def test_audio_comes_as_a_form_and_within_its_limits() -> None:
    with serving(*fake_engine(), max_batch_bytes=400_000, max_batch_audio_seconds=12) as service:
        assert service.client.post("/batch/process", json={"audio_data": "AAAA"}).status_code == 400
        assert send(service).status_code == 202
        large = send(service, CLIP + bytes(100_000))
        assert (large.status_code, large.json()["error"]["code"]) == (413, "audio_too_large")
        quiet = io.BytesIO()
        soundfile.write(quiet, np.zeros(13 * 16_000), 16_000, format="FLAC")
        long = send(service, quiet.getvalue())
        assert (long.status_code, long.json()["error"]["code"]) == (413, "audio_too_long")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_job_that_is_not_here_is_404_and_says_why(service: Service, method: str) -> None:
    answer = service.client.request(method, "/batch/0123456789abcdef0123456789abcdef")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (404, "job_not_found", "id")
    assert "known only to the process that took it" in error["message"]


def test_requests_go_before_a_job_whatever_is_left_of_it() -> None:
    heard: list[str | None] = []
    first, going_on = threading.Event(), threading.Event()

    class Noting(FakeEngine):
        def transcribe(self, audio: Waveform, options: Options, stop: Stop) -> Transcript:
            if options.prompt:
                heard.append(options.prompt)
                first.set()
                going_on.wait(TIMEOUT)
            return super().transcribe(audio, options, stop)

    with serving(Noting(), fake_engine()[1], max_queue_seconds=30) as service:
        taken = send(service, long_speech(), prompt="job")
        assert first.wait(TIMEOUT)
        answers: list[int] = []
        short = threading.Thread(target=lambda: answers.append(service.send(CLIP, prompt="short").status_code))
        short.start()
        wait_until(lambda: service.queue == 1, within=TIMEOUT, every=0.01, what="the request is admitted: it has room")
        going_on.set()
        short.join(TIMEOUT)
        assert (ended(service, taken)["status"], answers) == ("done", [200])
    assert heard[:2] == ["job", "short"]
    assert heard[2:] == ["job"] * (len(heard) - 2)
    assert len(heard) > 2


def test_how_far_a_job_is_can_be_seen() -> None:
    engine, second = FakeEngine(), threading.Event()
    calls: list[int] = []

    def says(_: Waveform) -> str:
        calls.append(1)
        if len(calls) == 2:
            second.wait(TIMEOUT)
        return "Hello."

    with serving(engine, fake_engine()[1]) as service:
        engine.says = says
        taken = send(service, long_speech())
        moving = wait_until(
            lambda: (job := told(service, taken))["progress"] > 0 and job, within=TIMEOUT, every=0.01, what="it moves"
        )
        second.set()
        done = ended(service, taken)
    assert 0 < moving["progress"] < 1
    assert moving["seconds_left"] > 0
    assert (moving["status"], moving["audio_seconds"], done["progress"]) == ("running", 60.0, 1.0)


def test_jobs_are_heard_one_after_the_other_and_deleting_one_ends_it(held: tuple[Service, FakeEngine]) -> None:
    service, engine = held
    jobs = [send(service, prompt=str(number)) for number in range(4)]
    wait_until(partial(is_at_work, service, jobs[0]), within=TIMEOUT, every=0.01, what="the first is at work")
    assert [told(service, job)["status"] for job in jobs] == ["running", "queued", "queued", "queued"]
    assert '{state="queued"} 3.0' in service.client.get("/metrics").text
    for job in (jobs[0], jobs[2]):
        gone = service.client.delete(job.headers["location"])
        assert (gone.status_code, gone.json()["status"], gone.json()["error"]) == (200, "cancelled", None)
        assert service.client.get(job.headers["location"]).status_code == 404
        assert service.client.delete(job.headers["location"]).status_code == 404
    engine.release.set()
    assert [ended(service, jobs[number])["status"] for number in (1, 3)] == ["done", "done"]
    assert [asked.prompt for asked in engine.asked if asked.prompt in ("1", "2", "3")] == ["1", "3"]
    wait_until(lambda: nothing_held(service), within=TIMEOUT, every=0.01, what="all is given back")
    metrics = service.client.get("/metrics").text
    assert 'whisper_batch_jobs_ended_total{state="cancelled"} 2.0' in metrics
    assert 'whisper_batch_jobs_ended_total{state="done"} 2.0' in metrics


def test_a_job_that_is_sent_again_under_its_key_is_the_same_and_its_upload_is_not_read(
    held: tuple[Service, FakeEngine],
) -> None:
    service, engine = held
    key = {"idempotency-key": "talk-7"}
    taken = send(service, headers=key)
    assert "x-idempotent-replay" not in taken.headers
    with closing(HTTPConnection(urlsplit(service.url).netloc, timeout=TIMEOUT)) as wire:
        wire.putrequest("POST", "/batch/process")
        for name, value in (key | {"content-length": "500000000"}).items():
            wire.putheader(name, value)
        wire.endheaders()
        answer = wire.getresponse()
        again = json.loads(answer.read())
    assert (answer.status, answer.headers["x-idempotent-replay"]) == (202, "true")
    assert again["id"] == taken.json()["id"]
    assert send(service, headers={"idempotency-key": "other"}).json()["id"] != taken.json()["id"]
    assert send(service, headers={"idempotency-key": "x" * 257}).json()["error"]["param"] == "idempotency-key"
    engine.release.set()
    assert send(service, headers=key).headers["location"] == taken.headers["location"]
    service.client.delete(taken.headers["location"])
    assert "x-idempotent-replay" not in send(service, headers=key).headers


def test_jobs_are_bounded_in_audio_and_in_bytes_with_a_time_to_come_back() -> None:
    with holding(max_batch_queue_seconds=70, max_batch_spool_bytes=4_000_000) as (service, engine):
        assert send(service, long_speech()).status_code == 202
        full = send(service, long_speech())
        assert (full.status_code, full.json()["error"]["code"]) == (503, "queue_full")
        assert "in jobs" in full.json()["error"]["message"]
        assert int(full.headers["retry-after"]) >= 1
        engine.release.set()
        assert service.send(CLIP).status_code == 200
    with holding(max_batch_spool_bytes=2_000_000) as (service, _):
        at_work = send(service, long_speech())
        what = "the first one's upload is given back, as it is decoded"
        decoded = lambda: is_at_work(service, at_work) and not service.runtime.batch_scratch.held  # noqa: E731 - a condition
        wait_until(decoded, within=TIMEOUT, every=0.01, what=what)
        wires = [send(service, long_speech()) for _ in range(2)]
        assert [answer.status_code for answer in wires] == [202, 503]


def test_a_job_that_nobody_hears_to_the_end_is_said_to_be_cancelled(held: tuple[Service, FakeEngine]) -> None:
    service, _ = held
    jobs = [send(service) for _ in range(2)]
    wait_until(partial(is_at_work, service, jobs[0]), within=TIMEOUT, every=0.01, what="the first is at work")
    service.runtime.settings = service.runtime.settings.model_copy(update={"drain_seconds": 0.1})
    assert service.on_its_loop(service.runtime.drain), "it keeps nobody waiting"
    for job in jobs:
        found = told(service, job)
        assert (found["status"], found["error"]["code"]) == ("cancelled", "draining")
        assert "send the file again" in found["error"]["message"]
    assert send(service).json()["error"]["code"] == "draining"


def test_a_hang_ends_jobs_too() -> None:
    engine = FakeEngine()
    with serving(engine, fake_engine()[1], hung_seconds=1.0) as service:
        engine.moving.clear()
        taken = send(service)
        found = ended(service, taken)
        engine.moving.set()
        assert service.runtime.life.phase is Phase.FAILED
    assert (found["status"], found["error"]["code"]) == ("cancelled", "device_lost")


def test_one_jobs_failure_is_nobody_elses(fake: tuple[Service, FakeEngine]) -> None:
    service, engine = fake
    engine.failure = RuntimeError("boom")
    failed = ended(service, send(service))
    engine.failure = None
    assert (failed["status"], failed["error"]["code"]) == ("failed", "engine_error")
    assert failed["error"]["message"] == "the engine failed: RuntimeError: boom"
    assert ended(service, send(service))["status"] == "done"


def test_answers_are_forgotten_after_their_time() -> None:
    with serving(*fake_engine(), batch_keep_seconds=0.5) as service:
        taken = send(service)
        gone = lambda: service.client.get(taken.headers["location"]).status_code == 404  # noqa: E731 - a condition
        wait_until(gone, within=TIMEOUT, every=0.02, what="the answer is forgotten")


def test_options_that_the_device_could_not_honour_are_named(fake: tuple[Service, FakeEngine]) -> None:
    service, engine = fake
    engine.info = replace(engine.info, capabilities=frozenset())
    taken = send(service, prompt="A speech.")
    assert taken.headers["x-whisper-degraded"] == "prompt"
    assert ended(service, taken)["result"]["degraded"] == ["prompt"]
