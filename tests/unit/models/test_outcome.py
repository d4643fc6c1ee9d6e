"""What a Job leaves behind fits where Kubernetes keeps it, and says what the operator reads."""

import json

import pytest
from whisper_models.artifact import (
    FileEntry,
    Format,
    Manifest,
    Precision,
    Source,
    Transcript,
    Validation,
    Variant,
)
from whisper_models.errors import DiskFull, Throttled
from whisper_models.outcome import Failed, Outcome, Ready, Unverified, as_json, exit_code, validated

VARIANT = Variant("tiny.en", Format.ONNX, Precision.INT8)


def manifest(similarity: float | None = None) -> Manifest:
    source = Source(repo="o/r", revision="c" * 40, endpoint="http://hub")
    entry = FileEntry(path="encoder.onnx", size=7, sha256="0" * 64)
    made = Manifest.describing(VARIANT, [entry], source=source, tools={})
    if similarity is None:
        return made
    heard = (
        Transcript(clip="jfk.wav", text="ask not", expected="ask not", similarity=1.0),
        Transcript(clip="call.ja.wav", text="国" * 2000, expected="国" * 2000, similarity=similarity),
    )
    return made.model_copy(update={"validation": Validation(similarity=similarity, threshold=0.95, transcripts=heard)})


def test_a_finished_variant_is_told_in_full() -> None:
    assert json.loads(as_json(Ready.of(manifest(), "onnx/whisper-tiny.en/int8"))) == {
        "outcome": "Ready",
        "model": "tiny.en",
        "format": "onnx",
        "precision": "int8",
        "revision": "c" * 40,
        "digest": manifest().digest,
        "size_bytes": 7,
        "path": "onnx/whisper-tiny.en/int8",
        "similarity": None,
        "threshold": None,
        "premade": None,
        "converted_because": None,
    }


def test_a_failure_carries_reason_and_whether_to_try_again() -> None:
    told = json.loads(as_json(Failed.of(DiskFull("no space"), VARIANT)))
    expected = {"outcome": "Failed", "reason": "DiskFull", "message": "no space", "retryable": True, "model": "tiny.en"}
    assert told == {**expected, "retry_after": None, "format": "onnx", "precision": "int8"}


def test_when_the_hub_wants_to_be_asked_again_is_passed_on() -> None:
    throttled = Throttled("429")
    throttled.retry_after = 300.0
    assert json.loads(as_json(Failed.of(throttled)))["retry_after"] == 300


@pytest.mark.parametrize("letter", ["x", "国"])
def test_a_long_message_is_cut_to_what_kubernetes_keeps(letter: str) -> None:
    assert len(as_json(Failed.of(DiskFull(letter * 10_000))).encode()) <= 4096


def test_a_variant_that_validated_well_says_how_well() -> None:
    told = json.loads(as_json(validated(manifest(0.96), "p")))
    assert (told["outcome"], told["similarity"], told["threshold"]) == ("Ready", 0.96, 0.95)


def test_a_variant_below_the_threshold_is_unverified_and_shows_the_clip_that_differs_most() -> None:
    line = as_json(validated(manifest(0.5), "p"))
    told = json.loads(line)
    assert len(line.encode()) <= 4096
    assert (told["outcome"], told["similarity"], told["threshold"]) == ("Unverified", 0.5, 0.95)
    assert "call.ja.wav" in told["message"]


def test_of_long_transcripts_only_the_difference_is_shown() -> None:
    start = "And so my fellow Americans, " * 20
    heard = Transcript(clip="jfk.wav", text=f"{start}task not", expected=f"{start}ask not", similarity=0.9)
    found = Validation(similarity=0.9, threshold=0.95, transcripts=(heard,))
    told = validated(manifest().model_copy(update={"validation": found}), "p")
    assert isinstance(told, Unverified)
    assert "'...low Americans, task not'" in told.message
    assert "'...low Americans, ask not'" in told.message


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([], 0),
        ([Ready.of(manifest(), "p")], 0),
        ([validated(manifest(0.5), "p"), Ready.of(manifest(), "p")], 3),
        ([validated(manifest(0.5), "p"), Failed.of(DiskFull("no space"))], 1),
    ],
    ids=["nothing to do", "all well", "below the threshold", "a failure outweighs it"],
)
def test_the_exit_code_tells_the_worst_of_all(outcomes: list[Outcome], code: int) -> None:
    assert exit_code(outcomes) == code
