"""A volume of somebody else's is named by the process that meets it, and the same command succeeds once it is ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from whisper_models.artifact import Format, Precision, Variant
from whisper_models.store import UnifiedModelManager

from tests.support.artifacts import import_checkpoint
from tests.support.hub import Hub
from tests.support.weights import hf_folder

USER = 65532
"""Whom our containers run as, without any other group."""
AS_USER = ["setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups"]
DEADLINE = 300.0
INT8 = Variant("tiny.en", Format.ONNX, Precision.INT8)


@pytest.fixture
def volume() -> Iterator[Path]:
    """A folder that everybody can read and its owner alone can write; needs root, whose it is."""
    with tempfile.TemporaryDirectory() as folder:  # unlike pytest's own, other users can reach it
        Path(folder).chmod(0o755)
        yield Path(folder)


def _run(*words: str, root: Path) -> tuple[int, dict[str, Any], str]:
    """(exit code, the one line of result, stderr) of a process that is not root."""
    line = [*AS_USER, sys.executable, "-m", "whisper_models.cli", *words, "--json", "--root", str(root)]
    environment = os.environ | {"HOME": "/nonexistent"}
    ended = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=DEADLINE, check=False)
    (told,) = ended.stdout.splitlines() or [ended.stderr]
    return ended.returncode, json.loads(told), ended.stderr


def _hand_over(folder: Path) -> None:
    """The folders alone: files may be links to everybody's, and nobody writes into them."""
    for place, _, _ in os.walk(folder):
        os.chown(place, USER, USER)


def _require_named_then_made(volume: Path, *words: str) -> None:
    code, told, said = _run(*words, root=volume)
    assert (code, told["outcome"], told["reason"]) == (1, "Failed", "PermissionDenied"), said
    assert told["retryable"] is True
    assert str(volume) in told["message"]
    assert "Traceback" not in said
    _hand_over(volume)
    code, told, said = _run(*words, root=volume)
    assert (code, told["outcome"]) == (0, "Ready"), said


def test_a_download_onto_it(hub: Hub, volume: Path) -> None:
    _require_named_then_made(volume, "download", "--models", "tiny.en", "--endpoint", hub.url)
    assert UnifiedModelManager(volume).damage(Variant.base("tiny.en")) == []


def test_a_conversion_on_it(volume: Path) -> None:
    store = UnifiedModelManager(volume)
    import_checkpoint(store, "tiny.en", hf_folder("tiny.en"))
    _require_named_then_made(volume, "convert", "--model", "tiny.en", "--precision", "int8")
    assert store.damage(INT8) == []
    assert (volume / store.location(INT8)).lstat().st_uid == USER
