"""A download is killed, at random moments and before every single change that it makes on disk; readers look on."""

from __future__ import annotations

import logging
import multiprocessing
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from whisper_models.artifact import Manifest, Variant
from whisper_models.download import HubSource, download
from whisper_models.errors import SourceMissing
from whisper_models.progress import Progress
from whisper_models.store import UnifiedModelManager
from whisper_models.store.files import BLOCK
from whisper_models.store.writer import Patience

from tests.support import random_checkpoint
from tests.support.downloads import BASE, QUICK, sent
from tests.support.hub import Hub, serve
from tests.support.killed import until_change
from tests.support.waiting import wait_until

log = logging.getLogger(__name__)
KILLS = 10
SEED = 20261123
DEADLINE = 60.0


class Reader:
    """Looks at the store all the time, as a runtime that starts at any moment would."""

    def __init__(self, store: UnifiedModelManager) -> None:
        self._store = store
        self._stop = threading.Event()
        self.whole = 0
        self.halves: list[str] = []

    @contextmanager
    def looking(self) -> Iterator[Reader]:
        thread = threading.Thread(target=self._look)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.005):
            with suppress(SourceMissing):
                self.halves += self._store.damage(BASE)
                self.whole += 1


def test_killed_at_ten_random_moments_it_completes_and_fetches_at_most_a_chunk_again_for_each(
    hub: Hub, store: UnifiedModelManager
) -> None:
    log.info("seed %s", SEED)
    moments = random.Random(SEED)
    command = [sys.executable, "-m", "whisper_models.cli", "download", "--models", "tiny.en", "--endpoint", hub.url]
    command += ["--root", str(store.root)]
    hub.faults.replace([{"kind": "slow", "path": "*model.safetensors", "rate": 2_000_000}])
    with Reader(store).looking() as reader:
        for _ in range(KILLS):
            _kill_after(command, moments.uniform(0.05, 1.0), hub)
            assert store.manifest(BASE) is None
        hub.faults.replace([])
        subprocess.run(command, check=True, capture_output=True, timeout=DEADLINE)
        wait_until(lambda: reader.whole, within=DEADLINE, every=0.05)
    manifest = store.manifest(BASE)
    assert manifest is not None
    assert store.damage(BASE) == []
    assert reader.halves == []
    _require_little_twice(hub, manifest, KILLS)


def _kill_after(command: list[str], seconds: float, hub: Hub) -> None:
    """Kill it this long after its first request: before that it has done nothing, which is no moment."""
    asked = len(hub.requests)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: len(hub.requests) > asked, within=DEADLINE, every=0.01)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        process.kill()
    assert process.returncode == -signal.SIGKILL, "it ended before it was killed"


def _require_little_twice(hub: Hub, manifest: Manifest, kills: int) -> None:
    came = sent(hub)
    twice = {entry.path: came[entry.path] - entry.size for entry in manifest.files}
    log.info("sent twice, in bytes: %s", twice)
    assert all(0 <= again <= kills * BLOCK for again in twice.values()), twice


MINE = Variant.base("mine")


@pytest.fixture(scope="module")
def forked() -> Any:
    """Makes processes quickly, without this one's threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "huggingface_hub.hf_api"])
    return context


@pytest.fixture
def small_hub(tmp_path: Path) -> Iterator[Hub]:
    folder = tmp_path / "hub/o/mine"
    random_checkpoint.write_whole(folder, random_checkpoint.random_tensors(80), mel_bins=80)
    with serve(tmp_path / "hub") as server:
        yield server


def _download(root: Path, url: str) -> Manifest:
    soon = Patience(poll=0.02, stale=0.5)  # who was killed before it wrote its name is known by its silence alone
    return download(UnifiedModelManager(root, soon), "mine", HubSource("o/mine", "main", url), Progress(), QUICK)


def _download_until(root: Path, url: str, last: int) -> None:
    """Download, and be killed before change number `last` on disk."""
    until_change(root, last, lambda: _download(root, url))


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damaged", [False, True], ids=["fetched", "mended"])
def test_killed_before_any_change_on_disk_it_leaves_nothing_half_and_fetches_nothing_twice(
    small_hub: Hub,
    tmp_path: Path,
    forked: Any,
    damaged: bool,  # noqa: FBT001  # parametrized
) -> None:
    for last in range(1, 1000):
        root = tmp_path / f"models-{last}"
        store = UnifiedModelManager(root)
        if damaged:
            _download(root, small_hub.url)
            _flip(store.path(MINE) / "model.safetensors")
        small_hub.requests.clear()
        log.info("change %s", last)
        process = forked.Process(target=_download_until, args=(root, small_hub.url, last))
        process.start()
        process.join(DEADLINE)
        killed = process.exitcode == -signal.SIGKILL
        assert killed or process.exitcode == 0
        _require_none_half(store, damaged=damaged)

        manifest = _download(root, small_hub.url)

        assert store.damage(MINE) == []
        weights = next(entry for entry in manifest.files if entry.path == "model.safetensors")
        assert weights.size <= sent(small_hub)["model.safetensors"] <= weights.size + BLOCK // 16
        assert not list(store.root.rglob("*+making-*")), "no unfinished work is left behind"
        if not killed:
            break
    log.info("killed before each of %s changes", last - 1)
    assert last > 20


def _require_none_half(store: UnifiedModelManager, *, damaged: bool) -> None:
    """Nothing, or a whole one; where a damaged one is mended, that or the whole one."""
    if not damaged and store.manifest(MINE) is None:
        return
    told = store.damage(MINE)
    assert not told or (damaged and len(told) == 1 and "sha256 differs" in told[0])
