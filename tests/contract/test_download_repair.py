"""A byte that turned over on disk: found by the next Job, mended from what is still sound, and never built upon."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from whisper_models.artifact import Format, Manifest, Precision, Variant
from whisper_models.convert.job import convert
from whisper_models.errors import ChecksumMismatch, HubUnreachable
from whisper_models.progress import Progress, Stage
from whisper_models.store import UnifiedModelManager

from tests.support import random_checkpoint
from tests.support.artifacts import import_checkpoint
from tests.support.downloads import BASE, Fetch, sent
from tests.support.hub import Hub

INT8 = Variant("tiny", Format.ONNX, Precision.INT8)
DEADLINE = 60.0


def _flip(path: Path, at: int = 500) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        turned = bytes([file.read(1)[0] ^ 1])
        file.seek(at)
        file.write(turned)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_only_the_damaged_file_is_fetched_again(fetch: Fetch, hub: Hub, store: UnifiedModelManager, name: str) -> None:
    first = fetch()
    _flip(store.path(BASE) / name)
    hub.requests.clear()

    assert fetch() == first

    assert store.damage(BASE) == []
    assert {path for path, count in sent(hub).items() if count} == {name}


def test_a_reader_of_the_damaged_one_is_not_disturbed_by_the_repair(fetch: Fetch, store: UnifiedModelManager) -> None:
    fetch()
    before = store.path(BASE)
    _flip(before / "model.safetensors")
    with (before / "model.safetensors").open("rb") as reader:
        fetch()
        assert store.path(BASE) != before
        assert len(reader.read()) == (store.path(BASE) / "model.safetensors").stat().st_size


def test_what_cannot_be_mended_now_stays_as_it_is_and_is_mended_later(fetch: Fetch, store: UnifiedModelManager) -> None:
    fetch()
    _flip(store.path(BASE) / "model.safetensors")
    with pytest.raises(HubUnreachable):
        fetch(endpoint="http://127.0.0.1:9")
    assert len(store.damage(BASE)) == 1
    fetch()
    assert store.damage(BASE) == []


def test_of_two_that_find_the_damage_at_once_both_see_it_mended_and_one_fetches(
    fetch: Fetch, hub: Hub, store: UnifiedModelManager
) -> None:
    first = fetch()
    _flip(store.path(BASE) / "model.safetensors")
    hub.requests.clear()
    found: list[Manifest] = []
    threads = [threading.Thread(target=lambda: found.append(fetch())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert found == [first, first]
    assert store.damage(BASE) == []
    assert sent(hub)["model.safetensors"] == (store.path(BASE) / "model.safetensors").stat().st_size


def test_checking_what_is_there_is_shown_as_such(fetch: Fetch) -> None:
    fetch()
    progress = Progress()
    manifest = fetch(progress=progress)
    seen = progress.snapshot()
    assert (seen.stage, seen.bytes_done, seen.bytes_total) == (
        Stage.VERIFYING,
        manifest.size_bytes,
        manifest.size_bytes,
    )


@pytest.fixture
def converted(tmp_path: Path) -> UnifiedModelManager:
    folder = random_checkpoint.write_whole(tmp_path / "hf", random_checkpoint.random_tensors(80), mel_bins=80)
    store = UnifiedModelManager(tmp_path / "converted")
    import_checkpoint(store, "tiny", folder)
    convert(store, INT8, Progress())
    return store


def test_a_damaged_conversion_is_made_anew(converted: UnifiedModelManager) -> None:
    before = converted.manifest(INT8)
    _flip(converted.path(INT8) / "decoder.weights")
    assert converted.damage(INT8)
    assert convert(converted, INT8, Progress()) == before
    assert converted.damage(INT8) == []


def test_nothing_is_made_from_a_damaged_checkpoint(converted: UnifiedModelManager) -> None:
    _flip(converted.path(Variant.base("tiny")) / "model.safetensors", at=5000)
    fp32 = Variant("tiny", Format.ONNX, Precision.FP32)
    with pytest.raises(ChecksumMismatch, match="download tiny again"):
        convert(converted, fp32, Progress())
    assert converted.manifest(fp32) is None
