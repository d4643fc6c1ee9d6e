"""Probes, health, models, devices, metrics."""

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.contract.runtime.service import MODEL, Service
from tests.support.words import JFK


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/startupz", "/health"])
def test_a_ready_runtime_answers_its_probes(service: Service, path: str) -> None:
    answer = service.client.get(path)
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"


def test_health_says_model_device_and_queue(service: Service) -> None:
    health = service.client.get("/health").json()
    assert health["model"]["id"] == MODEL
    assert health["device"] == {"requested": "CPU", "used": "CPU", "fallback_reason": None}
    assert health["queue"] == {"depth": 0, "audio_seconds": 0.0, "capacity_seconds": 70.0}


@pytest.mark.parametrize("path", ["/models", "/api/models"])
def test_the_model_is_listed_with_its_names_and_capabilities(service: Service, path: str) -> None:
    listed = service.client.get(path).json()
    (model,) = listed["models"]
    assert listed["default"] == model["id"] == MODEL
    assert model["aliases"] == ["whisper-tiny.en", "whisper-1"]
    assert model["loaded"]
    assert model["precision"] == "int8"
    assert model["size_bytes"] > 0
    assert model["languages"] == ["en"]
    assert {"words", "prompt"} <= set(model["capabilities"])


def test_openais_list_has_every_name_and_each_can_be_asked_for(service: Service) -> None:
    names = [entry["id"] for entry in service.client.get("/v1/models").json()["data"]]
    assert names == [MODEL, "whisper-tiny.en", "whisper-1"]
    for name in names:
        assert service.client.get(f"/v1/models/{name}").json()["id"] == name
    missing = service.client.get("/v1/models/gpt-5")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "model_not_found")


def test_the_devices_are_described(service: Service) -> None:
    info = service.client.get("/api/device-info").json()
    assert info["active"]["used"] == info["devices"][0]["name"] == "CPU"
    assert info["fallback_order"] == ["CPU"]
    assert info["temperature"] is None


def test_every_answer_names_its_request_and_its_runtime(service: Service) -> None:
    mine = service.client.get("/livez", headers={"x-request-id": "abc-1"})
    assert mine.headers["x-request-id"] == "abc-1"
    assert mine.headers["x-whisper-runtime"] == service.runtime.engine.info.runtime
    other = service.client.get("/nowhere", headers={"x-request-id": "not\tclean"})
    assert re.fullmatch("[0-9a-f]{32}", other.headers["x-request-id"])
    assert other.json()["request_id"] == other.headers["x-request-id"]


def test_metrics_are_prometheus_text_and_count_what_was_done(service: Service) -> None:
    service.send(JFK.read_bytes())
    families = {f.name: f for f in text_string_to_metric_families(service.client.get("/metrics").text)}
    done = [s for s in families["whisper_requests"].samples if s.labels.get("endpoint") == "/transcribe"]
    assert any(s.labels["code"] == "200" and s.value >= 1 for s in done)
    (seconds,) = [s.value for s in families["whisper_audio_seconds"].samples if s.name.endswith("_total")][:1]
    assert seconds >= 11
    assert families["whisper_model_loaded"].samples[0].value == 1
    assert [(s.labels["check"], s.value) for s in families["whisper_canary_ok"].samples] == [("isolation", 1)]
    assert families["whisper_queue_depth"].samples[0].value == 0
    batches = {s.name: s.value for s in families["whisper_batch_size"].samples if s.labels["endpoint"] == "/transcribe"}
    assert batches["whisper_batch_size_sum"] >= batches["whisper_batch_size_count"] >= 1
    for name in ("whisper_queue_depth", "whisper_queue_audio_seconds"):
        assert [sample.labels for sample in families[name].samples] == [{"model": MODEL, "device": "CPU"}]


def test_livez_does_not_wait_for_inference(service: Service) -> None:
    with service.busy():
        answers = [service.client.get("/livez").status_code for _ in range(20)]
        assert service.queue == 1, "the minute is still being transcribed"
    assert answers == [200] * 20
