"""Devices that fail while they serve: nobody waits in vain, and the best one that works serves in the end."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from whisper_npu.engine.devices import DeviceFailure, Reason
from whisper_npu.fake import FakeDevices
from whisper_runtime.engine import Fallback, Options
from whisper_runtime.errors import DeviceLost

from tests.support.waiting import wait_until
from tests.unit.npu.engines import HEARD, VOICE, say, serving, text_of

LOST = DeviceFailure(Reason.LOST, "ZE_RESULT_ERROR_DEVICE_LOST")
ALL = ("NPU", "GPU", "CPU")


def test_a_request_is_heard_by_the_next_device_when_its_own_is_lost(tmp_path: Path) -> None:
    devices = FakeDevices(*ALL)
    engine = serving(tmp_path, devices)
    devices.breaks = {"NPU": LOST}
    heard = say(engine)
    assert text_of(heard) == HEARD
    assert heard.device is not None
    assert heard.device.used == engine.info.device.used == "GPU"
    assert heard.device.fallback_reason == f"NPU: {LOST.message}, then {LOST.message}"
    assert engine.info.devices[0].status.startswith("lost: ")
    assert engine.info.fallbacks == {Fallback("NPU", "GPU", "lost"): 1}
    assert devices.open_now == 1


def test_a_pipeline_that_breaks_on_a_device_that_works_is_opened_anew(tmp_path: Path) -> None:
    devices = FakeDevices(*ALL)
    engine = serving(tmp_path, devices)
    failing = [True]

    def says(audio: np.ndarray[tuple[int], np.dtype[np.float32]]) -> str:
        if failing and failing.pop():
            raise LOST
        return f" {len(audio)} samples were heard here, by nobody at all."

    devices.says = says
    heard = say(engine)
    assert text_of(heard) == HEARD
    assert engine.info.device.used == "NPU"
    assert engine.info.fallbacks == {}
    assert [device for device, _ in devices.opened] == ["NPU", "NPU"]
    assert devices.open_now == 1


def test_a_request_that_breaks_every_pipeline_is_to_blame_itself(tmp_path: Path) -> None:
    devices = FakeDevices(*ALL)
    engine = serving(tmp_path, devices)
    poison = np.concatenate([VOICE, VOICE])

    def says(audio: np.ndarray[tuple[int], np.dtype[np.float32]]) -> str:
        if len(audio) == len(poison):
            raise DeviceFailure(Reason.LOST, "Check 'this' failed")
        return f" {len(audio)} samples were heard here, by nobody at all."

    devices.says = says
    with pytest.raises(RuntimeError, match="Check 'this' failed"):
        engine.transcribe(poison, Options())
    assert text_of(say(engine)) == HEARD
    assert engine.info.device.used == "NPU"


def test_a_hung_device_is_left_at_once(tmp_path: Path) -> None:
    devices = FakeDevices(*ALL)
    engine = serving(tmp_path, devices)
    devices.breaks = {"NPU": DeviceFailure(Reason.HUNG, "no answer for 120 s")}
    assert text_of(say(engine)) == HEARD
    assert engine.info.device.used == "GPU"
    assert engine.info.fallbacks == {Fallback("NPU", "GPU", "hung"): 1}
    assert [device for device, _ in devices.opened] == ["NPU", "GPU"]


def test_out_of_memory_is_one_requests_failure(tmp_path: Path) -> None:
    devices = FakeDevices(*ALL)
    engine = serving(tmp_path, devices)
    fails = [True]

    def says(audio: np.ndarray[tuple[int], np.dtype[np.float32]]) -> str:
        if fails and fails.pop():
            raise DeviceFailure(Reason.LOST, "bad alloc", out_of_memory=True)
        return f" {len(audio)} samples were heard here, by nobody at all."

    devices.says = says
    with pytest.raises(MemoryError, match="bad alloc"):
        say(engine)
    assert text_of(say(engine)) == HEARD


def test_without_a_device_that_works_requests_are_told_that_it_is_lost(tmp_path: Path) -> None:
    devices = FakeDevices("NPU", "CPU")
    engine = serving(tmp_path, devices)
    devices.breaks = {"NPU": LOST, "CPU": LOST}
    for _ in range(2):
        with pytest.raises(DeviceLost, match=LOST.message):
            say(engine)
    assert engine.info.device.used == "none"
    assert engine.info.fallbacks[Fallback("CPU", "none", "check_failed")] == 1
    assert devices.open_now == 0


def test_the_better_device_takes_over_again_when_it_has_recovered(tmp_path: Path) -> None:
    devices = FakeDevices("NPU", "CPU")
    engine = serving(tmp_path, devices, device_retry_seconds=0.01)
    devices.breaks = {"NPU": LOST}
    devices.refuses = {"NPU": DeviceFailure(Reason.COMPILE_FAILED, "still lost")}
    say(engine)
    assert engine.info.device.used == "CPU"
    wait_until(lambda: "still lost" in engine.info.devices[0].status, within=30, what="the NPU was tried again")
    devices.breaks, devices.refuses = {}, {}
    wait_until(lambda: engine.info.device.used == "NPU", within=30, what="the NPU serves again")
    heard = say(engine)
    assert heard.device is not None
    assert (heard.device.used, heard.device.fallback_reason) == ("NPU", None)
    assert engine.info.devices[0].status == "active"
    wait_until(lambda: devices.open_now == 1, within=30, what="the CPU's pipeline is closed")
    engine.close()
    assert devices.open_now == 0


def test_a_device_that_appears_later_takes_over(tmp_path: Path) -> None:
    devices = FakeDevices("CPU")
    engine = serving(tmp_path, devices, device_retry_seconds=0.01)
    devices.there.add("NPU")
    wait_until(lambda: engine.info.device.used == "NPU", within=30, what="the NPU serves")
    engine.close()


def test_what_only_the_other_device_could_do_is_named_as_degraded(tmp_path: Path) -> None:
    devices = FakeDevices("NPU")
    engine = serving(tmp_path, devices)
    heard = say(engine, prompt="A speech.", hotwords="Kennedy", logprobs=True)
    assert heard.degraded == ("hotwords", "logprobs", "prompt")
    assert devices.wishes[-1][1].options == Options()


def test_requests_that_fail_together_change_the_device_once(tmp_path: Path) -> None:
    devices = FakeDevices("NPU", "CPU")
    engine = serving(tmp_path, devices, workers=3, device_order=("NPU", "CPU"))
    devices.breaks = {"NPU": LOST}
    with ThreadPoolExecutor(3) as pool:
        heard = list(pool.map(lambda _: say(engine), range(3)))
    assert [text_of(one) for one in heard] == [HEARD] * 3
    assert engine.info.fallbacks == {Fallback("NPU", "CPU", "lost"): 1}
    assert devices.open_now == 3


def test_who_does_not_wait_any_more_leaves_the_pipeline_to_the_next(tmp_path: Path) -> None:
    devices = FakeDevices("CPU")
    engine = serving(tmp_path, devices)
    devices.moving.clear()
    gone = threading.Event()

    def stop() -> None:
        if gone.is_set():
            raise TimeoutError("the client has gone")

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(engine.transcribe, VOICE, Options(), stop)
        gone.set()
        with pytest.raises(TimeoutError):
            waiting.result(30)
    devices.moving.set()
    assert text_of(say(engine)) == HEARD
    assert [device for device, _ in devices.opened] == ["CPU"]


def test_closing_ends_a_device_that_is_being_tried(tmp_path: Path) -> None:
    devices = FakeDevices("CPU")
    engine = serving(tmp_path, devices, device_retry_seconds=0.01)
    devices.moving.clear()
    devices.there.add("NPU")
    engine.close()
    assert devices.open_now == 0


def test_a_device_that_is_lost_again_and_again_is_taken_back_each_time(tmp_path: Path) -> None:
    devices = FakeDevices("NPU", "CPU")
    engine = serving(tmp_path, devices, device_order=("NPU", "CPU"), device_retry_seconds=0.001)
    for times in range(1, 6):
        devices.breaks = {"NPU": DeviceFailure(Reason.HUNG, "no answer for 120 s")}
        assert text_of(say(engine)) == HEARD
        assert engine.info.fallbacks == {Fallback("NPU", "CPU", "hung"): times}
        devices.breaks = {}
        wait_until(lambda: engine.info.device.used == "NPU", within=30, what="the NPU serves again")
    engine.close()
    assert devices.open_now == 0
