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
from whisper_npu.engine.messages import Wish
from whisper_npu.fake import FakeDevices
from whisper_runtime.engine import never

from tests.support.artifacts import converted_folder
from tests.support.words import JFK, JFK_WORDS, word_errors

PATIENCE = 120.0
SPEECH = soundfile.read(JFK, dtype="float32")[0]
REAL = {"word_timestamps": True, "INFERENCE_NUM_THREADS": 1}


class Gone(Exception):  # noqa: N818 - a signal, not an error
    """Nobody waits any more."""


def gone() -> None:
    raise Gone


@pytest.fixture(scope="module")
def folder() -> Path:
    return converted_folder("tiny.en", Format.OPENVINO, "int8")


@pytest.fixture(scope="module", params=[lambda: FakeDevices("CPU", says=lambda _: JFK_WORDS), OpenVinoDevices])
def devices(request: pytest.FixtureRequest) -> Devices:
    made: Callable[[], Devices] = request.param
    return made()


@pytest.fixture
def pipeline(devices: Devices, folder: Path) -> Iterator[Pipeline]:
    opened = devices.open(folder, "CPU", REAL, never, PATIENCE)
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
    assert word_errors(JFK_WORDS, pipeline.hear(Wish(SPEECH), never, PATIENCE).text) == 0
    with pytest.raises(Gone):
        pipeline.hear(Wish(np.zeros(16_000, np.float32)), gone, PATIENCE)
    assert word_errors(JFK_WORDS, pipeline.hear(Wish(SPEECH), never, PATIENCE).text) == 0
    words = pipeline.hear(Wish(SPEECH, words=True), never, PATIENCE)
    assert "".join(word.text for word in words.words) == words.text


def test_what_cannot_be_compiled_is_said(devices: Devices, folder: Path, tmp_path: Path) -> None:
    for where, device in ((folder, "NPU.7"), (tmp_path / "nothing", "CPU")):
        with pytest.raises(DeviceFailure) as raised:
            devices.open(where, device, REAL, never, PATIENCE)
        assert raised.value.reason is Reason.COMPILE_FAILED
        assert raised.value.message


def test_an_opening_that_nobody_waits_for_ends(devices: Devices, folder: Path) -> None:
    with pytest.raises(Gone):
        devices.open(folder, "CPU", REAL, gone, PATIENCE)
    with pytest.raises(Gone):
        devices.survey(gone, PATIENCE)


def test_a_device_that_does_not_answer_in_time_is_given_up(folder: Path) -> None:
    devices = OpenVinoDevices()
    with pytest.raises(DeviceFailure) as slow:
        devices.open(folder, "CPU", REAL, never, 0.0)
    assert slow.value.reason is Reason.COMPILE_TIMEOUT
    pipeline = devices.open(folder, "CPU", REAL, never, PATIENCE)
    with pytest.raises(DeviceFailure) as hung:
        pipeline.hear(Wish(SPEECH), never, 0.0)
    assert hung.value.reason is Reason.HUNG
    pipeline.close()


def test_a_process_that_is_killed_is_a_broken_pipeline(folder: Path) -> None:
    pipeline = OpenVinoDevices().open(folder, "CPU", REAL, never, PATIENCE)
    child = pipeline.pid
    os.kill(child, signal.SIGKILL)
    with pytest.raises(DeviceFailure, match="ended with -9") as raised:
        pipeline.hear(Wish(SPEECH), never, PATIENCE)
    assert raised.value.reason is Reason.LOST
    pipeline.close()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_a_prompt_that_is_too_long_is_cut_and_leaves_no_trace(folder: Path) -> None:
    pipeline = OpenVinoDevices().open(folder, "CPU", REAL, never, PATIENCE)
    before = pipeline.hear(Wish(SPEECH), never, PATIENCE)
    much = pipeline.hear(Wish(SPEECH, prompt="word " * 800, hotwords="Kennedy " * 400), never, PATIENCE)
    assert much.language == "en"
    assert pipeline.hear(Wish(SPEECH), never, PATIENCE) == before
    pipeline.close()


def test_the_same_warmth_gives_the_same_text(folder: Path) -> None:
    pipeline = OpenVinoDevices().open(folder, "CPU", REAL, never, PATIENCE)
    texts = {pipeline.hear(Wish(SPEECH, temperature=0.8), never, PATIENCE).text for _ in range(2)}
    assert len(texts) == 1
    pipeline.close()
