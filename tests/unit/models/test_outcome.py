"""What a Job leaves behind fits where Kubernetes keeps it, and says what the operator reads."""

import json

from whisper_models.artifact import FileEntry, Format, Manifest, Precision, Source, Variant
from whisper_models.errors import DiskFull, Throttled
from whisper_models.outcome import Failed, Ready, as_json


def test_a_finished_variant_is_told_in_full() -> None:
    source = Source(repo="o/r", revision="c" * 40, endpoint="http://hub")
    entry = FileEntry(path="encoder.onnx", size=7, sha256="0" * 64)
    variant = Variant("tiny.en", Format.ONNX, Precision.INT8)
    manifest = Manifest.describing(variant, [entry], source=source, tools={})
    assert json.loads(as_json(Ready.of(manifest, "onnx/whisper-tiny.en/int8"))) == {
        "outcome": "Ready",
        "model": "tiny.en",
        "format": "onnx",
        "precision": "int8",
        "revision": "c" * 40,
        "digest": manifest.digest,
        "size_bytes": 7,
        "path": "onnx/whisper-tiny.en/int8",
    }


def test_a_failure_carries_reason_and_whether_to_try_again() -> None:
    told = json.loads(as_json(Failed.of(DiskFull("no space"), "tiny.en")))
    expected = {"outcome": "Failed", "reason": "DiskFull", "message": "no space", "retryable": True, "model": "tiny.en"}
    assert told == {**expected, "retry_after": None}


def test_when_the_hub_wants_to_be_asked_again_is_passed_on() -> None:
    throttled = Throttled("429")
    throttled.retry_after = 300.0
    assert json.loads(as_json(Failed.of(throttled)))["retry_after"] == 300


def test_a_long_message_is_cut_to_what_kubernetes_keeps() -> None:
    assert len(as_json(Failed.of(DiskFull("x" * 10_000))).encode()) <= 4096
