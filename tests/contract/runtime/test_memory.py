"""A request for which there is no memory is one request's failure, and one that a sibling may answer."""

import io
import os
import re
import resource
from pathlib import Path

import httpx
import numpy as np
import onnxruntime
import pytest
import soundfile
from onnx import TensorProto, helper
from whisper_cpu.engine.graphs import out_of_memory
from whisper_runtime.fake import FakeEngine

from tests.contract.runtime.process import process
from tests.contract.runtime.service import Service
from tests.support.words import JFK, JFK_WORDS, word_errors

CLIP = JFK.read_bytes()
ROOM = 64 << 20


def silence(seconds: int) -> bytes:
    """A small file that is large once it is decoded."""
    file = io.BytesIO()
    soundfile.write(file, np.zeros(seconds * 16_000, np.int16), 16_000, format="FLAC", subtype="PCM_16")
    return file.getvalue()


def post(url: str, audio: bytes) -> httpx.Response:
    return httpx.post(f"{url}/transcribe", files={"file": audio}, timeout=120)


def mapped(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    (kibibytes,) = re.findall(r"VmSize:\s+(\d+) kB", status)
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
