"""Compiled models are kept for the next start, shared by many processes, and never trusted blindly."""

import contextlib
import os
from pathlib import Path

import pytest
from whisper_npu.engine.blobs import BlobCache, Source, entry_name
from whisper_npu.engine.messages import FoundDevice
from whisper_npu.fake import FakeDevices

from tests.unit.npu.engines import say, serving

NPU = FoundDevice("NPU", "Intel AI Boost", driver="1.24", traits=("DEVICE_ARCHITECTURE=4000",))
FACTS = {"device": NPU, "version": "2026.4.1", "digest": "sha256:1", "properties": {"STATIC_PIPELINE": True}}


def compiled(cache: BlobCache, name: str, text: str = "blob") -> Source:
    """One opening by something that compiles only where nothing is there."""
    with cache.opening(name) as opening:
        assert opening.folder is not None
        blob = opening.folder / "1.blob"
        if not blob.exists():
            blob.write_text(text)
    return opening.source


@pytest.fixture
def cache(tmp_path: Path) -> BlobCache:
    return BlobCache(tmp_path / "cache", 1000)


def test_what_was_compiled_once_is_there_the_next_time(cache: BlobCache) -> None:
    assert [compiled(cache, "npu-1"), compiled(cache, "npu-1"), compiled(cache, "npu-2")] == ["miss", "hit", "miss"]
    assert sorted(path.name for path in cache.root.iterdir()) == ["npu-1", "npu-2"]


@pytest.mark.parametrize(
    "other",
    [
        {"device": FoundDevice("NPU", "Intel AI Boost", driver="1.25", traits=NPU.traits)},
        {"device": FoundDevice("NPU", "Intel AI Boost", driver="1.24", traits=("DEVICE_ARCHITECTURE=5010",))},
        {"device": FoundDevice("GPU", "Intel AI Boost", driver="1.24", traits=NPU.traits)},
        {"version": "2026.5.0"},
        {"digest": "sha256:2"},
        {"properties": {"STATIC_PIPELINE": False}},
    ],
    ids=["driver", "generation", "device", "OpenVINO", "model", "options"],
)
def test_another_device_driver_version_model_or_option_is_another_entry(other: dict[str, object]) -> None:
    assert entry_name(**(FACTS | other)) != entry_name(**FACTS)  # type: ignore[arg-type]  # keywords of one call
    assert entry_name(**FACTS) == entry_name(**FACTS)  # type: ignore[arg-type]  # the same


@pytest.mark.parametrize("damage", ["a byte", "the end", "the blob", "the manifest", "its text"])
def test_a_damaged_entry_is_said_and_compiled_anew(cache: BlobCache, damage: str) -> None:
    compiled(cache, "npu-1", "compiled for long")
    blob, manifest = cache.root / "npu-1" / "1.blob", cache.root / "npu-1" / "blobs.json"
    match damage:
        case "a byte":
            blob.write_text("compiled for lung")
        case "the end":
            os.truncate(blob, 3)
        case "the blob":
            blob.unlink()
        case "the manifest":
            manifest.unlink()
        case _:
            manifest.write_text('["1.blob"')
    assert [compiled(cache, "npu-1", "compiled anew"), compiled(cache, "npu-1")] == ["damaged", "hit"]
    assert blob.read_text() == "compiled anew"


def test_what_openvino_does_not_take_is_replaced(cache: BlobCache) -> None:
    compiled(cache, "npu-1", "of another world")
    with cache.opening("npu-1") as opening:
        assert opening.folder is not None
        (opening.folder / "1.blob").unlink()
        (opening.folder / "1.blob").write_text("of this one")
    assert opening.source == "rejected"
    assert (cache.root / "npu-1" / "1.blob").read_text() == "of this one"


def test_an_opening_that_fails_leaves_nothing(cache: BlobCache) -> None:
    with contextlib.suppress(RuntimeError), cache.opening("npu-1") as opening:
        assert opening.folder is not None
        (opening.folder / "1.blob").write_text("half")
        raise RuntimeError
    assert list(cache.root.iterdir()) == []


def test_two_that_compile_at_once_both_succeed_and_one_entry_stays(cache: BlobCache) -> None:
    with cache.opening("npu-1") as slow:
        assert slow.folder is not None
        (slow.folder / "1.blob").write_text("slow")
        assert compiled(cache, "npu-1", "quick") == "miss"
    assert slow.source == "miss"
    assert compiled(cache, "npu-1") == "hit"
    assert [path.name for path in cache.root.iterdir()] == ["npu-1"]


def test_who_reads_an_entry_keeps_it_while_another_replaces_it(cache: BlobCache) -> None:
    compiled(cache, "npu-1", "first")
    with cache.opening("npu-1") as reading:
        assert reading.folder is not None
        (cache.root / "npu-1" / "blobs.json").write_text("{")
        assert compiled(cache, "npu-1", "second") == "damaged"
        assert (reading.folder / "1.blob").read_text() == "first"
    assert (cache.root / "npu-1" / "1.blob").read_text() == "second"


def test_the_cache_stays_within_its_size_and_drops_what_is_unused_for_longest(cache: BlobCache) -> None:
    for number in range(3):
        compiled(cache, f"npu-{number}", "x" * 400)
        os.utime(cache.root / f"npu-{number}" / "blobs.json", (number, number))
        if number == 1:
            compiled(cache, "npu-0")
            os.utime(cache.root / "npu-0" / "blobs.json", (9, 9))
    assert sorted(path.name for path in cache.root.iterdir()) == ["npu-0", "npu-2"]


def test_the_one_in_use_stays_even_where_it_alone_is_too_large(cache: BlobCache) -> None:
    compiled(cache, "npu-0")
    assert compiled(cache, "npu-1", "x" * 2000) == "miss"
    assert [path.name for path in cache.root.iterdir()] == ["npu-1"]


def test_private_folders_of_processes_that_are_gone_are_removed(cache: BlobCache) -> None:
    left = cache.root / ".private-gone"
    left.mkdir(parents=True)
    os.utime(left, (0, 0))
    compiled(cache, "npu-1")
    assert not left.exists()


def test_without_a_place_to_write_models_are_compiled_and_not_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with BlobCache(tmp_path / "file" / "cache", 1).opening("npu-1") as opening:
        assert opening.folder is None
    assert opening.source == "none"


def test_an_engine_says_where_its_compiled_model_came_from(tmp_path: Path) -> None:
    devices, cache = FakeDevices("NPU"), tmp_path / "cache"

    def started() -> str:
        engine = serving(tmp_path, devices, compile_cache=cache, workers=2)
        say(engine)
        engine.close()
        assert engine.info.devices[0].compile_cache == engine.info.compile_cache
        return engine.info.compile_cache

    assert [started(), started()] == ["miss", "hit"]
    devices.driver = "2.0"
    assert started() == "miss"
    for blob in cache.glob("*/*.blob"):
        blob.write_text("!")
    assert started() == "damaged"
    assert all("CACHE_DIR" in told for _, told in devices.opened)
    assert serving(tmp_path, devices).info.compile_cache == "none"


def test_nothing_is_kept_for_the_cpu_which_compiles_in_seconds(tmp_path: Path) -> None:
    devices = FakeDevices("CPU")
    engine = serving(tmp_path, devices, compile_cache=tmp_path / "cache")
    assert engine.info.compile_cache == "none"
    assert "CACHE_DIR" not in devices.opened[0][1]
