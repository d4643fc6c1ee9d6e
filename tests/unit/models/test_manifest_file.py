"""A manifest on disk: no byte of it changes unseen, and whatever lies there instead of one harms nobody."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from whisper_models.artifact import FileEntry, Manifest, Variant
from whisper_models.store import UnifiedModelManager
from whisper_models.store.manifest_file import LARGEST, read_manifest

from tests.unit.models.builders import EVERY_KIND, ONNX, file_of, published

FUZZ = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
CONTENT = bytes(range(40))


@pytest.fixture
def store(tmp_path: Path) -> UnifiedModelManager:
    """With one variant, ONNX."""
    store = UnifiedModelManager(tmp_path)
    published(store)
    return store


def _flipped(content: bytes, at: int, bit: int) -> bytes:
    return content[:at] + bytes([content[at] ^ (1 << bit)]) + content[at + 1 :]


def _files(store: UnifiedModelManager, variant: Variant) -> Iterator[Path]:
    return (path for path in store.path(variant).rglob("*") if path.is_file())


@pytest.mark.parametrize("variant", EVERY_KIND, ids=str)
def test_any_single_byte_changed_on_disk_is_found(tmp_path: Path, variant: Variant) -> None:
    """Every byte of a file, and every fifth of the manifest's own, whose other bytes the next test draws from."""
    store = UnifiedModelManager(tmp_path)
    published(store, CONTENT, variant)
    assert store.damage(variant) == []
    checked = 0
    for path in list(_files(store, variant)):
        whole = path.read_bytes()
        for at in range(0, len(whole), 5 if path.name == "manifest.json" else 1):
            path.write_bytes(_flipped(whole, at, at % 8))
            found = store.unreadable() if store.manifest(variant) is None else store.damage(variant)
            assert found, f"byte {at} of {path.name}"
            checked += 1
        path.write_bytes(whole)
    assert checked > len(CONTENT) + 60
    assert store.damage(variant) == []


@FUZZ
@given(at=st.integers(0), bit=st.integers(0, 7), cut=st.booleans())
def test_a_manifest_with_any_bit_flipped_or_its_end_cut_off_is_found(
    store: UnifiedModelManager, at: int, bit: int, *, cut: bool
) -> None:
    path = store.path(ONNX) / "manifest.json"
    whole = path.read_bytes()
    at %= len(whole)
    path.write_bytes(whole[:at] if cut else _flipped(whole, at, bit))
    try:
        assert store.unreadable() if store.manifest(ONNX) is None else store.damage(ONNX)
    finally:
        path.write_bytes(whole)


def test_a_damaged_manifest_is_mended_by_making_the_variant_again(store: UnifiedModelManager) -> None:
    path = store.path(ONNX) / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b"http://hub", b"http://hug"))
    assert "seal" in store.damage(ONNX)[0]
    published(store)
    assert store.damage(ONNX) == []


def test_a_manifest_is_still_json(store: UnifiedModelManager) -> None:
    content = json.loads((store.path(ONNX) / "manifest.json").read_bytes())
    assert [content] == [
        {**json.loads(found.model_dump_json()), "seal": content["seal"]} for found in store.manifests()
    ]
    assert content["seal"].startswith("sha256:")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
FIELDS = [*Manifest.model_fields, "seal"]


@FUZZ
@given(st.sampled_from(FIELDS), json_values)
def test_any_field_replaced_by_anything_is_read_or_refused(
    store: UnifiedModelManager, field: str, value: object
) -> None:
    """Nothing crashes, and whatever is still a manifest names only files inside its folder."""
    path = store.folder(ONNX) / "manifest.json"
    whole = path.read_bytes()
    path.write_bytes(json.dumps({**json.loads(whole), field: value}).encode())
    store.manifests()
    store.unreadable()
    store.complete(ONNX)
    if manifest := store.manifest(ONNX):
        store.damage(ONNX)
        assert all((path.parent / entry.path).resolve().is_relative_to(path.parent) for entry in manifest.files)
    path.write_bytes(whole)


@FUZZ
@given(st.text(max_size=600))
def test_a_file_of_any_name_lies_inside_or_is_refused(tmp_path: Path, name: str) -> None:
    try:
        entry = FileEntry(path=name, size=1, sha256="0" * 64)
    except ValidationError:
        return
    path = tmp_path / entry.path
    assert not path.is_file()  # no ValueError, no OSError
    assert Path(os.path.normpath(path)).is_relative_to(tmp_path)
    assert path != tmp_path


HOSTILE = {
    "nothing": b"",
    "deep": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "a huge number": b'{"schema_version": ' + b"9" * 100_000 + b"}",
    "not utf-8": b"\xff\xfe\x00" * 100,
    "too large": b" " * (LARGEST + 1) + b"{}",
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_no_manifest_makes_no_model(tmp_path: Path, case: str) -> None:
    (tmp_path / "manifest.json").write_bytes(HOSTILE[case])
    assert read_manifest(tmp_path) is None


INSTEAD: dict[str, Callable[[Path], None]] = {
    "a pipe": os.mkfifo,
    "a link": lambda path: path.symlink_to("/dev/zero"),
    "a folder": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("case", INSTEAD)
def test_what_is_no_plain_file_is_no_manifest(tmp_path: Path, case: str) -> None:
    INSTEAD[case](tmp_path / "manifest.json")
    assert read_manifest(tmp_path) is None


def test_a_file_that_is_a_link_out_of_the_variant_is_missing(store: UnifiedModelManager) -> None:
    file = store.path(ONNX) / file_of(ONNX)
    file.rename(store.root / "outside")
    file.symlink_to(store.root / "outside")
    assert store.complete(ONNX) is None
    assert "is missing" in store.damage(ONNX)[0]
