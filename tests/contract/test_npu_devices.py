"""The seam to OpenVINO's devices: the fake ones and the real ones keep the same promises."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from whisper_models.artifact import Format
from whisper_npu.engine import Devices, OpenVinoDevices
from whisper_npu.engine.devices import DeviceFailure, Pipeline, Reason
from whisper_npu.engine.messages import Opening, Wish
from whisper_npu.fake import FakeDevices
from whisper_runtime.engine import Options, Transcript, never

from tests.support.artifacts import converted_folder
from tests.support.words import JFK, JFK_WORDS, word_errors

PATIENCE = 120.0
SPEECH = soundfile.read(JFK, dtype="float32")[0]
REAL = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32", "KV_CACHE_PRECISION": "f32"}
PLAIN = Wish(SPEECH, Options())


class Gone(Exception):  # noqa: N818 - a signal, not an error
    """Nobody waits any more."""


def gone() -> None:
    raise Gone


def cpu(folder: Path) -> Opening:
    return Opening(folder, "CPU", REAL)


def text_of(heard: Transcript) -> str:
    return "".join(segment.text for segment in heard.segments)


@pytest.fixture(scope="module")
def folder() -> Path:
    return converted_folder("tiny.en", Format.OPENVINO, "int8")


@pytest.fixture(scope="module", params=[lambda: FakeDevices("CPU", says=lambda _: JFK_WORDS), OpenVinoDevices])
def devices(request: pytest.FixtureRequest) -> Devices:
    made: Callable[[], Devices] = request.param
    return made()


@pytest.fixture
def pipeline(devices: Devices, folder: Path) -> Iterator[Pipeline]:
    opened = devices.open(cpu(folder), never, PATIENCE)
    yield opened
    opened.close()


def test_the_cpu_is_found_and_described(devices: Devices) -> None:
    survey = devices.survey(never, PATIENCE)
    found = survey.find("CPU")
    assert found is not None
    assert found.description
    assert (survey.find("NPU") is not None) <= Path("/dev/accel").exists()
    assert survey.version


def test_a_pipeline_hears_again_and_again_also_after_nobody_waited_for_an_answer(pipeline: Pipeline) -> None:
    assert word_errors(JFK_WORDS, text_of(pipeline.hear(PLAIN, never, PATIENCE))) == 0
    with pytest.raises(Gone):
        pipeline.hear(Wish(np.zeros(16_000, np.float32), Options()), gone, PATIENCE)
    assert word_errors(JFK_WORDS, text_of(pipeline.hear(PLAIN, never, PATIENCE))) == 0
    heard = pipeline.hear(Wish(SPEECH, Options(word_timestamps=True)), never, PATIENCE)
    assert "".join(word.word for segment in heard.segments for word in segment.words or ()) == text_of(heard)


def test_what_cannot_be_compiled_is_said(devices: Devices, folder: Path, tmp_path: Path) -> None:
    for where, device in ((folder, "NPU.7"), (tmp_path / "nothing", "CPU")):
        with pytest.raises(DeviceFailure) as raised:
            devices.open(Opening(where, device, REAL), never, PATIENCE)
        assert raised.value.reason is Reason.COMPILE_FAILED
        assert raised.value.message


def test_an_opening_that_nobody_waits_for_ends(devices: Devices, folder: Path) -> None:
    with pytest.raises(Gone):
        devices.open(cpu(folder), gone, PATIENCE)
    with pytest.raises(Gone):
        devices.survey(gone, PATIENCE)


def test_a_device_that_does_not_answer_in_time_is_given_up(folder: Path) -> None:
    devices = OpenVinoDevices()
    with pytest.raises(DeviceFailure) as slow:
        devices.open(cpu(folder), never, 0.0)
    assert slow.value.reason is Reason.COMPILE_TIMEOUT
    pipeline = devices.open(cpu(folder), never, PATIENCE)
    with pytest.raises(DeviceFailure) as hung:
        pipeline.hear(PLAIN, never, 0.0)
    assert hung.value.reason is Reason.HUNG
    pipeline.close()


def test_a_process_that_is_killed_is_a_broken_pipeline(folder: Path) -> None:
    pipeline = OpenVinoDevices().open(cpu(folder), never, PATIENCE)
    child = pipeline.pid
    os.kill(child, signal.SIGKILL)
    with pytest.raises(DeviceFailure, match="ended with -9") as raised:
        pipeline.hear(PLAIN, never, PATIENCE)
    assert raised.value.reason is Reason.LOST
    pipeline.close()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_a_prompt_that_is_too_long_is_cut_and_leaves_no_trace(folder: Path) -> None:
    pipeline = OpenVinoDevices().open(cpu(folder), never, PATIENCE)
    before = pipeline.hear(PLAIN, never, PATIENCE)
    much = pipeline.hear(Wish(SPEECH, Options(prompt="word " * 800, hotwords="Kennedy " * 400)), never, PATIENCE)
    assert much.language == "en"
    assert pipeline.hear(PLAIN, never, PATIENCE) == before
    pipeline.close()


def test_the_same_warmth_gives_the_same_text(folder: Path) -> None:
    pipeline = OpenVinoDevices().open(cpu(folder), never, PATIENCE)
    texts = {text_of(pipeline.hear(Wish(SPEECH, Options(temperature=0.8)), never, PATIENCE)) for _ in range(2)}
    assert len(texts) == 1
    pipeline.close()
