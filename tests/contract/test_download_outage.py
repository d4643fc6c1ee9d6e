"""The hub is gone for longer than a Job has patience: the Job says so and ends, and a later one goes on."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from whisper_models.store import UnifiedModelManager

from tests.support.downloads import BASE, asked_for_weights
from tests.support.hub import Hub

DEADLINE = 120.0


@contextmanager
def _open(repositories: Path, port: int = 0) -> Iterator[Hub]:
    """A hub on this port until the block ends; then nothing listens there."""
    with Hub(repositories, port=port) as hub:
        thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield hub
        hub.faults.replace([])
        hub.shutdown()
        thread.join()


def _job(root: Path, url: str, log: Path) -> tuple[int, dict[str, Any]]:
    """One run as the operator makes it: the exit code, and what the Job leaves to be read."""
    command = [sys.executable, "-m", "whisper_models.cli", "download", "--models", "tiny.en", "--endpoint", url]
    command += ["--root", str(root), "--termination-log", str(log)]
    ended = subprocess.run(command, capture_output=True, timeout=DEADLINE, check=False)
    return ended.returncode, json.loads(log.read_text())


def test_a_hub_that_goes_away_in_mid_transfer_is_named_and_the_next_job_goes_on(
    repositories: Path, tmp_path: Path
) -> None:
    store, log = UnifiedModelManager(tmp_path / "models"), tmp_path / "log"
    with _open(repositories) as hub:
        port, url = hub.server_address[1], hub.url
        hub.faults.replace([{"kind": "cut", "path": "*model.safetensors", "after": 30_000_000}])
        code, left = _job(store.root, url, log)
        assert (code, left["reason"], left["retryable"]) == (1, "HubUnreachable", True)

    for _ in range(2):  # nobody is there any more
        code, left = _job(store.root, url, log)
        assert (code, left["reason"], left["retryable"]) == (1, "HubUnreachable", True)
        assert url in left["message"]
        assert store.manifest(BASE) is None
    (part,) = store.root.rglob("model.safetensors.part")
    kept = part.stat().st_size
    assert kept > 29_000_000

    with _open(repositories, port) as hub:
        code, left = _job(store.root, url, log)
        assert (code, left["outcome"]) == (0, "Ready")
        (continued,) = asked_for_weights(hub)
    assert continued["range"] == f"bytes={kept}-"
    assert store.damage(BASE) == []
