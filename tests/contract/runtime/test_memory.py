"""A request for which there is no memory is one request's failure, and one that a sibling may answer."""

import io
import os
import re
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnxruntime
import pytest
import soundfile
from onnx import TensorProto, helper
from whisper_cpu.engine.graphs import out_of_memory
from whisper_runtime.fake import FakeEngine

from tests.contract.runtime.process import process
from tests.contract.runtime.service import Service, hanging_up
from tests.support.media import FFMPEG, by_ffmpeg
from tests.support.waiting import wait_until
from tests.support.words import JFK, JFK_WORDS, word_errors

CLIP = JFK.read_bytes()
ROOM = 64 << 20
RATE = 16_000
M4A = next(kind for kind in FFMPEG if kind.name == "m4a")


def silence(seconds: int) -> bytes:
    """A small file that is large once it is decoded."""
    file, minute = io.BytesIO(), np.zeros(60 * 16_000, np.int16)
    with soundfile.SoundFile(file, "w", 16_000, 1, "PCM_16", format="FLAC") as out:
        for _ in range(seconds // 60):
            out.write(minute)
    return file.getvalue()


def by_ffmpegs_aac(seconds: int) -> bytes:
    """The same in what FFmpeg has to read."""
    return by_ffmpeg(np.zeros(seconds * RATE, np.float32), RATE, M4A)


def post(url: str, audio: bytes) -> httpx.Response:
    return httpx.post(f"{url}/transcribe", files={"file": audio}, timeout=300)


def mapped(pid: int) -> int:
    return _status(pid, "VmSize")


def private(pid: int) -> int:
    """What is the process's own, and not a file's."""
    return _status(pid, "VmData")


def _status(pid: int, name: str) -> int:
    (kibibytes,) = re.findall(rf"{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(kibibytes) * 1024


def test_a_file_that_does_not_fit_into_memory_gets_503_and_the_next_one_its_words() -> None:
    with process() as (running, url):
        assert post(url, CLIP).status_code == 200
        unlimited = resource.prlimit(running.pid, resource.RLIMIT_AS)
        resource.prlimit(running.pid, resource.RLIMIT_AS, (mapped(running.pid) + ROOM, unlimited[1]))
        refused = post(url, silence(1800))
        beside = post(url, CLIP)
        resource.prlimit(running.pid, resource.RLIMIT_AS, unlimited)
        after = post(url, silence(60))
        assert running.poll() is None
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "queue_full")
    assert "memory" in refused.json()["error"]["message"]
    assert int(refused.headers["retry-after"]) >= 1
    assert word_errors(JFK_WORDS, beside.json()["text"]) == 0
    assert after.status_code == 200


def test_an_engine_without_memory_is_one_requests_503(fake: tuple[Service, FakeEngine]) -> None:
    service, engine = fake
    engine.failure = MemoryError("no more")
    refused = service.send(CLIP)
    engine.failure = None
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "queue_full")
    assert service.send(CLIP).status_code == 200


def test_onnx_runtimes_failure_for_want_of_memory_is_known() -> None:
    node = helper.make_node("ConstantOfShape", ["shape"], ["y"])
    shape, y = (
        helper.make_tensor_value_info("shape", TensorProto.INT64, [1]),
        helper.make_tensor_value_info("y", TensorProto.FLOAT, [None]),
    )
    graph = helper.make_graph([node], "large", [shape], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (mapped(os.getpid()) + ROOM, before[1]))
    try:
        with pytest.raises(Exception, match="ConstantOfShape") as failed:
            session.run(None, {"shape": np.array([10**9], np.int64)})
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    assert out_of_memory(failed.value)
    assert not out_of_memory(ValueError("Failed to allocate memory"))
    with pytest.raises(Exception, match="shape") as other:
        session.run(None, {"shape": np.array([-5], np.int64)})
    assert not out_of_memory(other.value)


@pytest.mark.parametrize(("quiet", "seconds"), [(silence, 7200), (by_ffmpegs_aac, 3600)], ids=["flac", "m4a"])
def test_hours_take_disk_and_no_more_memory_than_minutes_do(quiet: Callable[[int], bytes], seconds: int) -> None:
    """Two hours would be 440 MiB, one 220; what the process may take beyond what it has is 128."""
    with process() as (running, url):
        assert post(url, quiet(300)).status_code == 200
        unlimited = resource.prlimit(running.pid, resource.RLIMIT_DATA)
        resource.prlimit(running.pid, resource.RLIMIT_DATA, (private(running.pid) + 2 * ROOM, unlimited[1]))
        taken = httpx.post(f"{url}/batch/process", files={"file": quiet(seconds)}, timeout=300)
        beside = post(url, CLIP)

        def ended() -> Any:
            job = httpx.get(url + taken.headers["location"], timeout=300).json()
            return job["status"] not in ("queued", "running") and job

        job = wait_until(ended, within=600, every=0.2, what="the job has ended")
        assert running.poll() is None
    assert (job["status"], job["error"], job["audio_seconds"]) == ("done", None, seconds)
    assert (job["result"]["duration"], job["result"]["text"]) == (seconds, "")
    assert word_errors(JFK_WORDS, beside.json()["text"]) == 0


def test_a_full_scratch_disk_is_one_requests_503(
    fake: tuple[Service, FakeEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a volume is full: its device file takes no byte."""
    service, _ = fake
    service.runtime.settings = service.runtime.settings.model_copy(update={"max_audio_seconds": 3600})
    with Path("/dev/full").open("r+b", buffering=0) as full:
        monkeypatch.setattr("whisper_runtime.audio.samples.tempfile.TemporaryFile", lambda **_: full)
        refused = service.send(silence(600))
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "queue_full")
    assert refused.json()["error"]["message"].endswith("No space left on device")
    assert service.send(CLIP).status_code == 200


def test_decoded_audio_counts_as_what_is_held(fake: tuple[Service, FakeEngine]) -> None:
    service, engine = fake
    runtime = service.runtime
    runtime.settings = runtime.settings.model_copy(update={"max_audio_seconds": 3600})
    runtime.scratch.capacity = 30 << 20
    engine.release.clear()
    with hanging_up(service.url, CLIP):
        wait_until(lambda: service.queue == 1, within=60, every=0.01, what="another request holds something")
        refused = service.send(silence(600))
    engine.release.set()
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "queue_full")
    wait_until(lambda: runtime.scratch.held == 0, within=60, every=0.01, what="all is given back")
