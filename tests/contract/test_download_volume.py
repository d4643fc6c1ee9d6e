"""Volumes that refuse: each has its name, costs the hub nothing that was fetched before, and ends with its cause."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from whisper_models.artifact import Format, Precision, Variant
from whisper_models.convert.job import convert
from whisper_models.errors import DiskFull, ModelFailure, ReadOnlyVolume
from whisper_models.progress import Progress
from whisper_models.store import UnifiedModelManager

from tests.support.downloads import BASE, WEIGHTS, Fetch, asked_for_weights, fetching
from tests.support.hub import Hub
from tests.support.volume import fill, read_only, small_volume
from tests.support.waiting import wait_until

DEADLINE = 60.0
INT8 = Variant("tiny.en", Format.ONNX, Precision.INT8)


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    with small_volume(tmp_path / "volume", megabytes=240) as folder:
        yield folder


@pytest.fixture
def store(volume: Path) -> UnifiedModelManager:
    return UnifiedModelManager(volume / "models")


@pytest.fixture
def fetch(hub: Hub, store: UnifiedModelManager) -> Fetch:
    return fetching(hub, store)


def test_too_little_space_is_told_before_the_first_byte_and_enough_is_enough(
    fetch: Fetch, hub: Hub, store: UnifiedModelManager, volume: Path
) -> None:
    filler = fill(volume)
    with pytest.raises(DiskFull):
        fetch()
    with filler.open("r+b") as file:
        file.truncate(140_000_000)
    with pytest.raises(DiskFull, match=r"MB free and \d+ MB are needed"):
        fetch()
    assert asked_for_weights(hub) == []
    filler.unlink()
    fetch()
    assert store.damage(BASE) == []


def test_a_volume_that_fills_up_in_mid_transfer_is_named_and_what_came_is_kept(
    fetch: Fetch, hub: Hub, store: UnifiedModelManager, volume: Path
) -> None:
    hub.faults.replace([{"kind": "stall", "path": WEIGHTS, "after": 20_000_000}])
    failures: list[ModelFailure] = []

    def run() -> None:
        try:
            fetch()
        except ModelFailure as failure:
            failures.append(failure)

    downloading = threading.Thread(target=run)
    downloading.start()
    wait_until(lambda: _part(store) >= 20_000_000, within=DEADLINE, every=0.02)
    filler = fill(volume)
    hub.faults.replace([])
    downloading.join(DEADLINE)
    assert [type(failure) for failure in failures] == [DiskFull]
    assert store.manifest(BASE) is None

    kept = _part(store)
    filler.unlink()
    fetch()

    assert kept >= 20_000_000
    assert store.damage(BASE) == []
    assert asked_for_weights(hub)[-1]["range"] == f"bytes={kept}-"


def _part(store: UnifiedModelManager) -> int:
    return sum(path.stat().st_size for path in store.root.rglob("model.safetensors.part"))


def test_a_conversion_for_which_there_is_no_room_is_named_and_made_when_there_is(
    fetch: Fetch, store: UnifiedModelManager, volume: Path
) -> None:
    fetch()
    filler = fill(volume)
    with pytest.raises(DiskFull):
        convert(store, INT8, Progress())
    assert store.manifest(INT8) is None
    filler.unlink()
    convert(store, INT8, Progress())
    assert store.damage(INT8) == []


def test_a_claim_that_is_mounted_read_only_is_named_and_used_when_it_is_not(
    fetch: Fetch, hub: Hub, store: UnifiedModelManager, volume: Path
) -> None:
    with read_only(volume), pytest.raises(ReadOnlyVolume, match="mount it writable"):
        fetch()
    assert asked_for_weights(hub) == []
    fetch()
    with read_only(volume), pytest.raises(ReadOnlyVolume):
        convert(store, INT8, Progress())
    convert(store, INT8, Progress())


def test_what_is_there_needs_no_writable_volume(fetch: Fetch, store: UnifiedModelManager, volume: Path) -> None:
    first = fetch()
    with read_only(volume):
        assert fetch() == first


def test_a_volume_that_turns_read_only_in_mid_transfer_is_named_and_what_came_is_kept(
    fetch: Fetch, hub: Hub, store: UnifiedModelManager, volume: Path
) -> None:
    """As when a file system stops writing after an error of its disk: the transfer begins, and cannot go on."""
    hub.faults.replace([{"kind": "cut", "path": WEIGHTS, "after": 20_000_000}])
    with pytest.raises(ModelFailure):
        fetch()
    hub.faults.replace([])
    hub.requests.clear()
    with read_only(volume), pytest.raises(ReadOnlyVolume):
        fetch()
    fetch()
    (continued,) = asked_for_weights(hub)
    assert continued["range"] is not None
