"""A runtime whose devices come and go, as callers see it: the npu engine over devices that do what they are told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from whisper_npu.engine import NpuEngine
from whisper_npu.engine.devices import DeviceFailure, Reason
from whisper_npu.fake import FakeDevices
from whisper_npu.settings import NpuSettings
from whisper_runtime.engine import Artifact

from tests.contract.runtime.service import TIMEOUT, Service, serving
from tests.support.waiting import wait_until
from tests.support.words import JFK, JFK_WORDS, word_errors

CLIP = JFK.read_bytes()
LOST = DeviceFailure(Reason.LOST, "ZE_RESULT_ERROR_DEVICE_LOST")


@contextmanager
def runtime(folder: Path, devices: FakeDevices, *, await_ready: bool = True, **settings: Any) -> Iterator[Service]:
    devices.says = lambda audio: f" {JFK_WORDS}" if len(audio) > 10 * 16_000 else f" {len(audio)} samples of a voice."
    (folder / "generation_config.json").write_text(json.dumps({"lang_to_id": {"<|en|>": 1}}))
    engine = NpuEngine(
        NpuSettings(**{"device_order": ("NPU", "CPU"), "device_retry_seconds": 3600} | settings), devices
    )
    artifact = Artifact(folder, "base", "int8", size_bytes=1, digest="sha256:1")
    with serving(engine, artifact, await_ready=await_ready) as service:
        yield service


def fallbacks(service: Service) -> dict[tuple[str, str, str], float]:
    families = text_string_to_metric_families(service.client.get("/metrics").text)
    samples = next(family.samples for family in families if family.name == "whisper_fallback")
    return {(one.labels["from"], one.labels["to"], one.labels["reason"]): one.value for one in samples}


def test_while_it_compiles_it_says_so_and_refuses_with_a_time_to_come_back(tmp_path: Path) -> None:
    devices = FakeDevices("NPU", "CPU")
    devices.moving.clear()
    with runtime(tmp_path, devices, await_ready=False) as service:

        def phase() -> str:
            said: str = service.client.get("/health").json()["phase"]
            return said

        wait_until(lambda: phase() == "compiling", within=TIMEOUT, every=0.01, what="the model is being compiled")
        answer = service.send(CLIP)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "compiling")
        assert int(answer.headers["retry-after-ms"]) > 0
        assert service.client.get("/livez").status_code == 200
        assert service.client.get("/readyz").status_code == 503
        assert not service.client.get("/models").json()["models"][0]["loaded"]
        devices.moving.set()
        wait_until(service.ready, within=TIMEOUT, every=0.01, what="the runtime is ready")


def test_a_device_that_is_missing_is_named_in_answer_device_info_and_metric(tmp_path: Path) -> None:
    with runtime(tmp_path, FakeDevices("CPU")) as service:
        reason = "NPU: OpenVINO finds CPU here: is the driver of NPU installed?"
        use = {"requested": "NPU", "used": "CPU", "fallback_reason": reason}
        assert service.send(CLIP).json()["device"] == use
        health = service.client.get("/health")
        assert (health.status_code, health.json()["status"], health.json()["device"]) == (200, "degraded", use)
        info = service.client.get("/api/device-info").json()
        assert info["active"] == use
        assert info["fallback_order"] == ["NPU", "CPU"]
        assert [device["status"] for device in info["devices"]] == [f"not_found: {reason[5:]}", "active"]
        assert fallbacks(service) == {("NPU", "CPU", "not_found"): 1}


def test_a_device_lost_at_work_costs_nobody_an_answer(tmp_path: Path) -> None:
    devices = FakeDevices("NPU", "CPU")
    with runtime(tmp_path, devices) as service:
        assert service.send(CLIP).json()["device"]["used"] == "NPU"
        devices.breaks = {"NPU": LOST}
        answer = service.send(CLIP, prompt="A speech.")
        assert answer.status_code == 200
        assert word_errors(JFK_WORDS, answer.json()["text"]) == 0
        assert answer.json()["device"]["used"] == "CPU"
        assert LOST.message in answer.json()["device"]["fallback_reason"]
        assert answer.json()["degraded"] == ["prompt"], "as the NPU could not when the request came"
        assert fallbacks(service) == {("NPU", "CPU", "lost"): 1}
        assert service.send(CLIP, prompt="A speech.").json()["degraded"] == []


def test_a_device_asked_for_is_compared_with_the_one_that_heard_it(tmp_path: Path) -> None:
    devices = FakeDevices("NPU", "CPU")
    with runtime(tmp_path, devices) as service:
        asked = service.send(CLIP, device="cpu").json()
        assert asked["device"] == {
            "requested": "cpu",
            "used": "NPU",
            "fallback_reason": "this runtime serves from NPU",
        }
        assert asked["degraded"] == ["device"]
        assert service.send(CLIP, device="npu").json()["degraded"] == []


def test_without_any_device_the_runtime_ends_and_says_why(tmp_path: Path) -> None:
    devices = FakeDevices("NPU", "CPU")
    with runtime(tmp_path, devices) as service:
        devices.breaks = {"NPU": LOST, "CPU": LOST}
        answer = service.send(CLIP)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "device_lost")
        assert service.runtime.life.failed
        health = service.client.get("/health").json()
        assert health["status"] == "failed"
        assert health["reason"].startswith("DeviceLost: NPU: ")
        assert service.client.get("/livez").status_code == 503


def test_a_model_that_no_device_takes_is_never_ready(tmp_path: Path) -> None:
    devices = FakeDevices("NPU", "CPU")
    refused = DeviceFailure(Reason.COMPILE_FAILED, "Unsupported operation")
    devices.refuses = {"NPU": refused, "CPU": refused}
    with runtime(tmp_path, devices, await_ready=False) as service:
        wait_until(lambda: service.runtime.life.failed, within=TIMEOUT, every=0.01, what="the runtime gives up")
        assert "Unsupported operation" in service.client.get("/health").json()["reason"]


@pytest.mark.parametrize(("kept", "cache"), [(False, "none"), (True, "miss")])
def test_the_time_to_load_says_where_the_compiled_model_came_from(tmp_path: Path, *, kept: bool, cache: str) -> None:
    settings: dict[str, Any] = {"compile_cache": tmp_path / "cache"} if kept else {}
    with runtime(tmp_path, FakeDevices("NPU"), **settings) as service:
        labels = {"model": "base", "device": "NPU", "cache": cache}
        assert service.runtime.metrics.registry.get_sample_value("whisper_model_load_seconds", labels) is not None
        assert service.client.get("/api/device-info").json()["devices"][0]["compile_cache"] == cache
