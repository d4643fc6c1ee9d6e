"""A conversion is killed while it writes, again and again; run once more it completes, and is what it had to be."""

from __future__ import annotations

import logging
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from whisper_models.artifact import Format, Precision, Variant
from whisper_models.store import UnifiedModelManager

from tests.support.artifacts import import_checkpoint, store_with
from tests.support.waiting import wait_until
from tests.support.weights import hf_folder

log = logging.getLogger(__name__)
KILLS = 10
SEED = 20261123
DEADLINE = 120.0
SMALL = 1 << 20
"""Bytes of manifests and signs of life."""


@pytest.mark.parametrize(
    "variant",
    [
        Variant("tiny.en", Format.ONNX, Precision.INT8),
        Variant("tiny.en", Format.CTRANSLATE2, Precision.INT8),
        Variant("tiny.en", Format.GGML, Precision.Q5_0),
        Variant("tiny.en", Format.OPENVINO, Precision.INT8),
    ],
    ids=str,
)
def test_killed_at_ten_random_moments_it_completes_with_the_same_bytes(
    store: UnifiedModelManager, variant: Variant
) -> None:
    base = import_checkpoint(store, variant.model, hf_folder(variant.model))
    expected = UnifiedModelManager(store_with(variant)).manifest(variant)
    assert expected is not None
    command = [sys.executable, "-m", "whisper_models.cli", "convert", "--model", variant.model]
    command += ["--format", variant.format, "--precision", variant.precision, "--root", str(store.root)]
    log.info("seed %s", SEED)
    moments = random.Random(SEED)
    for _ in range(KILLS):
        _kill_when_written(command, store.root, int(moments.uniform(0.0, 0.9) * expected.size_bytes))
        assert store.manifest(variant) is None
    subprocess.run(command, check=True, capture_output=True, timeout=DEADLINE)
    manifest = store.manifest(variant)
    assert manifest is not None
    assert manifest.digest == expected.digest
    assert store.damage(variant) == []
    assert _bytes_below(store.root) < base.size_bytes + manifest.size_bytes + SMALL  # nothing half made is left


def _kill_when_written(command: list[str], root: Path, count: int) -> None:
    """Kill it as soon as it has written so many bytes: not by the clock, which means another moment on each machine."""
    start = time.time_ns()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: _bytes_below(root, start) > count, within=DEADLINE, every=0.002)
        process.kill()
    assert process.returncode == -signal.SIGKILL, "it ended before it was killed"


def _bytes_below(root: Path, since: int = 0) -> int:
    """Of the files that were written after a moment."""
    total = 0
    for folder, _, names in os.walk(root):  # which does not mind what vanishes meanwhile
        for name in names:
            with suppress(FileNotFoundError):
                found = (Path(folder) / name).lstat()
                total += found.st_size if found.st_mtime_ns > since else 0
    return total
