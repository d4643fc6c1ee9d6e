"""Which device serves, and what is said of the others."""

from pathlib import Path

import pytest
from whisper_npu.engine.choice import decoding_on, properties
from whisper_npu.engine.devices import DeviceFailure, Reason
from whisper_npu.fake import FakeDevices
from whisper_npu.settings import NpuSettings
from whisper_runtime.engine import Fallback
from whisper_runtime.errors import DeviceLost

from tests.unit.npu.engines import HEARD, engine_on, say, serving, text_of

ALL = ("NPU", "GPU", "CPU")


def test_the_first_device_of_the_order_serves_where_it_works(tmp_path: Path) -> None:
    engine = serving(tmp_path, FakeDevices(*ALL))
    assert engine.info.device.model_dump() == {"requested": "NPU", "used": "NPU", "fallback_reason": None}
    assert [(device.name, device.status) for device in engine.info.devices] == [
        ("NPU", "active"),
        ("GPU", "not tried"),
        ("CPU", "not tried"),
    ]
    assert engine.info.fallbacks == {}
    heard = say(engine)
    assert text_of(heard) == HEARD
    assert heard.device == engine.info.device


def test_openvino_genai_decodes_on_an_npu_and_nowhere_else() -> None:
    assert {device: decoding_on(device) for device in ("NPU", "NPU.1", "GPU", "GPU.1", "CPU")} == {
        "NPU": "genai",
        "NPU.1": "genai",
        "GPU": "graphs",
        "GPU.1": "graphs",
        "CPU": "graphs",
    }


def test_a_device_that_is_not_there_is_passed_over_and_said(tmp_path: Path) -> None:
    engine = serving(tmp_path, FakeDevices("GPU", "CPU"))
    use = say(engine).device
    assert use is not None
    assert (use.requested, use.used) == ("NPU", "GPU")
    assert use.fallback_reason == "NPU: OpenVINO finds CPU, GPU here: is the driver of NPU installed?"
    assert engine.info.devices[0].status.startswith("not_found: ")
    assert engine.info.fallbacks == {Fallback("NPU", "GPU", "not_found"): 1}


@pytest.mark.parametrize(
    "failure",
    [
        DeviceFailure(Reason.COMPILE_FAILED, "Unsupported operation"),
        DeviceFailure(Reason.COMPILE_TIMEOUT, "no answer for 900 s"),
    ],
    ids=lambda failure: failure.reason,
)
def test_a_device_for_which_the_model_cannot_be_compiled_is_passed_over_with_the_drivers_words(
    tmp_path: Path, failure: DeviceFailure
) -> None:
    devices = FakeDevices(*ALL)
    devices.refuses = {"NPU": failure, "GPU": failure}
    engine = serving(tmp_path, devices)
    assert engine.info.device.used == "CPU"
    assert engine.info.device.fallback_reason == f"NPU: {failure.message}; GPU: {failure.message}"
    assert engine.info.fallbacks == {Fallback(name, "CPU", failure.reason): 1 for name in ("NPU", "GPU")}
    assert [device.status for device in engine.info.devices[:2]] == [f"{failure.reason}: {failure.message}"] * 2


def test_a_device_that_mixes_requests_is_passed_over(tmp_path: Path) -> None:
    devices = FakeDevices("NPU", "CPU")
    devices.mixes = {"NPU"}
    engine = serving(tmp_path, devices, device_order=("NPU", "CPU"))
    assert engine.info.device.used == "CPU"
    assert "requests mix" in str(engine.info.device.fallback_reason)
    assert engine.info.fallbacks == {Fallback("NPU", "CPU", "check_failed"): 1}
    assert devices.open_now == 1, "the pipeline that failed its check is closed"


def test_a_device_that_is_not_named_is_never_used(tmp_path: Path) -> None:
    devices = FakeDevices(*ALL)
    engine = engine_on(tmp_path, devices, device_order=("NPU",))
    devices.there.remove("NPU")
    with pytest.raises(DeviceLost, match="NPU: OpenVINO finds CPU, GPU here"):
        engine.compile()
    assert devices.opened == []


def test_of_several_devices_of_a_kind_the_first_serves_by_its_own_name(tmp_path: Path) -> None:
    devices = FakeDevices("GPU.0", "GPU.1", "CPU")
    assert serving(tmp_path, devices, device_order=("GPU",)).info.device.used == "GPU.0"
    assert serving(tmp_path, devices, device_order=("GPU.1", "CPU")).info.device.used == "GPU.1"


def test_every_worker_gets_a_pipeline_of_its_own(tmp_path: Path) -> None:
    devices = FakeDevices(*ALL)
    engine = serving(tmp_path, devices, workers=3)
    assert [device for device, _ in devices.opened] == ["NPU"] * 3
    engine.close()
    assert devices.open_now == 0


@pytest.mark.parametrize(("device", "more"), [("NPU", set()), ("GPU", {"prompt", "hotwords", "logprobs"})])
def test_capabilities_follow_the_device(tmp_path: Path, device: str, more: set[str]) -> None:
    engine = serving(tmp_path, FakeDevices(device))
    assert engine.info.capabilities == {"words", "translate", "language_detection"} | more
    assert engine.info.languages == ("en", "de")


def test_a_driver_that_crashes_when_devices_are_looked_for_is_said(tmp_path: Path) -> None:
    devices = FakeDevices("NPU")
    devices.unseen = DeviceFailure(Reason.LOST, "its process ended with -11")
    with pytest.raises(DeviceLost, match="could not look for devices: its process ended with -11"):
        engine_on(tmp_path, devices).compile()


@pytest.mark.parametrize(
    ("device", "told"),
    [
        ("NPU", {"word_timestamps": True, "STATIC_PIPELINE": True}),
        ("GPU.1", {}),
        (
            "CPU",
            {
                "INFERENCE_NUM_THREADS": 2,
                "INFERENCE_PRECISION_HINT": "f32",
                "KV_CACHE_PRECISION": "f32",
            },
        ),
    ],
)
def test_openvino_is_told_what_each_device_needs(device: str, told: dict[str, object]) -> None:
    assert properties(device, NpuSettings(threads=4, workers=2)) == told


def test_a_cpu_computes_as_it_likes_where_that_is_asked_for() -> None:
    assert properties("CPU", NpuSettings(inference_precision="auto")) == {"INFERENCE_NUM_THREADS": 1}
