"""OpenVINO reads what it compiled from our cache, and says what it does not take: a real encoder on its CPU device."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import openvino
import pytest
from whisper_models.artifact import Format
from whisper_npu.child.surgery import with_positions
from whisper_npu.engine.blobs import BlobCache, Source

from tests.support.artifacts import converted_folder

ENTRY = "cpu-1"


@pytest.fixture
def cache(tmp_path: Path) -> BlobCache:
    return BlobCache(tmp_path, 1 << 30)


def compiled(cache: BlobCache) -> tuple[bool, Source]:
    """Whether OpenVINO took it from the cache, and what the cache says."""
    core, folder = openvino.Core(), converted_folder("tiny.en", Format.OPENVINO, "int8")
    encoder = core.read_model(folder / "openvino_encoder_model.xml")
    with_positions(encoder)
    with cache.opening(ENTRY) as opening:
        model = core.compile_model(encoder, "CPU", {"CACHE_DIR": str(opening.folder)})
        found = bool(model.get_property("LOADED_FROM_CACHE"))
        del model
    return found, opening.source


def test_a_compiled_model_is_read_back_and_a_damaged_one_is_made_anew(cache: BlobCache) -> None:
    assert [compiled(cache), compiled(cache)] == [(False, Source.MISS), (True, Source.HIT)]
    (blob,) = cache.root.glob(f"{ENTRY}/*.blob")
    good = blob.read_bytes()
    blob.chmod(0o600)
    blob.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    assert [compiled(cache), compiled(cache)] == [(False, Source.DAMAGED), (True, Source.HIT)]


def test_what_is_whole_but_not_openvinos_is_said_and_made_anew(cache: BlobCache) -> None:
    compiled(cache)
    (blob,) = cache.root.glob(f"{ENTRY}/*.blob")
    blob.chmod(0o600)
    blob.write_bytes(b"compiled by another driver")
    digest = hashlib.sha256(blob.read_bytes()).hexdigest()
    (cache.root / ENTRY / "blobs.json").write_text(json.dumps({blob.name: digest}))
    assert [compiled(cache), compiled(cache)] == [(False, Source.REJECTED), (True, Source.HIT)]
