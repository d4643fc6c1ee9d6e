"""The commands that people have in their notes, each run to its end on real weights."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from whisper_models import arguments
from whisper_models.arguments import CONVERTED
from whisper_models.artifact import Format, Precision, Variant
from whisper_models.catalogue import CATALOGUE

from tests.support.artifacts import linked_copy, onnx_store, store_with
from tests.support.hub import Hub

SCRIPTS = Path(__file__).parents[2] / "scripts"
DEADLINE = 600.0
MADE = [arguments.default("tiny.en", form) for form in CONVERTED]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A store with the checkpoint of tiny.en, each format of it, and what they are held against."""
    root = linked_copy(onnx_store("tiny.en", "fp32"), tmp_path / "models")
    for variant in MADE:
        linked_copy(store_with(variant), root)
    return root


def _run(name: str, *words: str, root: Path) -> tuple[int, list[dict[str, Any]], str]:
    """(exit code, each line of result, stderr)."""
    line = [sys.executable, str(SCRIPTS / f"{name}-models.py"), *words, "--json", "--root", str(root)]
    ended = subprocess.run(line, capture_output=True, text=True, timeout=DEADLINE, check=False)
    return ended.returncode, [json.loads(row) for row in ended.stdout.splitlines()], ended.stderr


def _ready(told: list[dict[str, Any]]) -> list[Variant]:
    return [
        Variant(row["model"], Format(row["format"]), Precision(row["precision"]))
        for row in told
        if row["outcome"] == "Ready"
    ]


def test_download_all_fetches_what_the_hub_has_and_names_each_that_it_has_not(hub: Hub, tmp_path: Path) -> None:
    code, told, said = _run("download", "--all", "--endpoint", hub.url, root=tmp_path / "models")
    assert code == 1, said
    assert [row["model"] for row in told] == list(CATALOGUE)
    assert _ready(told) == [Variant.base("tiny.en")]
    reasons = [row["reason"] for row in told if row["outcome"] != "Ready"]
    assert reasons == ["NotFound"] * (len(CATALOGUE) - 1)


def test_one_model_of_the_notes_is_downloaded(hub: Hub, tmp_path: Path) -> None:
    code, told, said = _run("download", "--model", "whisper-tiny.en", "--endpoint", hub.url, root=tmp_path / "models")
    assert (code, _ready(told)) == (0, [Variant.base("tiny.en")]), said


def test_what_is_converted_optimised_and_validated_ends_well(root: Path) -> None:
    """One after another on one store, as people do it; what a step finds done, it does not do twice."""
    code, told, said = _run("convert", "--model", "whisper-tiny.en", "--all-formats", root=root)
    assert (code, _ready(told)) == (0, MADE), said
    code, told, said = _run("optimize", "--target", "cpu", "--models", "whisper-tiny.en", root=root)
    assert (code, _ready(told)) == (0, [Variant("tiny.en", Format.ONNX, Precision.INT8)]), said
    code, told, said = _run("validate", "--check-all", root=root)
    assert code == 0, said
    assert set(_ready(told)) == {Variant.base("tiny.en"), Variant("tiny.en", Format.ONNX, Precision.FP32), *MADE}
    assert all(row["similarity"] >= row["threshold"] for row in told if row["format"] != Format.PYTORCH)
