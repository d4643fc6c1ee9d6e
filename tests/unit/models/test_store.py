"""No reader ever sees half a model, whatever happens to its writer."""

from pathlib import Path

import pytest
from whisper_models.artifact import Format, Manifest, Precision, Source, Variant
from whisper_models.errors import Incomplete, SourceMissing, UnknownModel
from whisper_models.store import UnifiedModelManager

VARIANT = Variant("tiny.en", Format.ONNX, Precision.INT8)
SOURCE = Source(repo="openai/whisper-tiny.en", revision="c" * 40, endpoint="http://hub")


@pytest.fixture
def store(tmp_path: Path) -> UnifiedModelManager:
    return UnifiedModelManager(tmp_path)


def _put_together(store: UnifiedModelManager, content: bytes, variant: Variant = VARIANT) -> tuple[Path, Manifest]:
    workspace = store.workspace(variant, "key")
    (workspace / "encoder.onnx").write_bytes(content)
    return workspace, Manifest.describing(variant, store.entries(workspace), source=SOURCE, tools={})


def _published(store: UnifiedModelManager, content: bytes, variant: Variant = VARIANT) -> Manifest:
    workspace, manifest = _put_together(store, content, variant)
    store.publish(workspace, manifest)
    return manifest


@pytest.mark.parametrize(
    ("variant", "place"),
    [
        (Variant.base("tiny.en"), "base/whisper-tiny.en"),
        (VARIANT, "onnx/whisper-tiny.en/int8"),
        (Variant("large-v3", Format.OPENVINO, Precision.FP16), "openvino/whisper-large-v3/fp16"),
    ],
    ids=str,
)
def test_each_variant_has_its_place_in_the_tree(store: UnifiedModelManager, variant: Variant, place: str) -> None:
    assert store.location(variant) == place


@pytest.mark.parametrize("name", ["../../etc", "a/b", "", "UPPER", ".hidden", "x" * 200])
def test_a_name_never_leads_out_of_the_tree(store: UnifiedModelManager, name: str) -> None:
    with pytest.raises(UnknownModel):
        store.location(Variant.base(name))


def test_what_was_published_is_read_back(store: UnifiedModelManager) -> None:
    manifest = _published(store, b"graph")
    assert store.manifest(VARIANT) == store.complete(VARIANT) == manifest
    assert (store.path(VARIANT) / "encoder.onnx").read_bytes() == b"graph"
    assert store.manifests() == [manifest]
    assert store.damage(VARIANT) == []


def test_a_variant_that_is_not_there_is_missing_not_an_empty_path(store: UnifiedModelManager) -> None:
    assert store.manifest(VARIANT) is None
    with pytest.raises(SourceMissing, match=r"tiny\.en onnx int8"):
        store.path(VARIANT)


def test_a_folder_without_a_manifest_is_not_a_model(store: UnifiedModelManager, tmp_path: Path) -> None:
    _put_together(store, b"graph")
    (tmp_path / "onnx/whisper-tiny.en/fp32").mkdir()
    assert store.manifests() == []


def test_a_new_revision_goes_beside_the_old_one_and_the_pointer_moves(store: UnifiedModelManager) -> None:
    _published(store, b"old")
    reader = store.path(VARIANT)
    _published(store, b"new")
    assert (reader / "encoder.onnx").read_bytes() == b"old"
    assert (store.path(VARIANT) / "encoder.onnx").read_bytes() == b"new"


def test_the_pointer_is_relative_so_that_the_volume_may_be_mounted_anywhere(
    store: UnifiedModelManager, tmp_path: Path
) -> None:
    _published(store, b"graph")
    moved = tmp_path.rename(tmp_path.with_name(tmp_path.name + "-elsewhere"))
    assert (UnifiedModelManager(moved).path(VARIANT) / "encoder.onnx").read_bytes() == b"graph"
    assert not (moved / store.location(VARIANT)).readlink().is_absolute()


def test_publishing_the_same_content_again_changes_nothing(store: UnifiedModelManager) -> None:
    _published(store, b"graph")
    before = (store.path(VARIANT) / "encoder.onnx").stat()
    _published(store, b"graph")
    assert (store.path(VARIANT) / "encoder.onnx").stat() == before


def test_publishing_over_a_damaged_variant_repairs_it(store: UnifiedModelManager) -> None:
    _published(store, b"graph")
    (store.path(VARIANT) / "encoder.onnx").write_bytes(b"grapX")
    _published(store, b"graph")
    assert store.damage(VARIANT) == []


def test_files_that_the_manifest_does_not_name_are_not_published(store: UnifiedModelManager) -> None:
    workspace, manifest = _put_together(store, b"graph")
    (workspace / "encoder.onnx.part").write_bytes(b"left over")
    store.publish(workspace, manifest)
    assert sorted(path.name for path in store.path(VARIANT).iterdir()) == ["encoder.onnx", "manifest.json"]


def test_a_manifest_cannot_promise_a_file_that_is_not_there(store: UnifiedModelManager) -> None:
    workspace, manifest = _put_together(store, b"graph")
    (workspace / "encoder.onnx").unlink()
    with pytest.raises(Incomplete, match=r"encoder\.onnx"):
        store.publish(workspace, manifest)
    assert store.manifest(VARIANT) is None


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"grapH", "sha256 differs"), (b"", "0 bytes instead of 5"), (None, "is missing")],
    ids=["one bit flipped", "emptied", "deleted"],
)
def test_any_damage_on_disk_is_found_and_named(store: UnifiedModelManager, content: bytes | None, said: str) -> None:
    _published(store, b"graph")
    file = store.path(VARIANT) / "encoder.onnx"
    file.unlink() if content is None else file.write_bytes(content)
    damage = store.damage(VARIANT)
    assert len(damage) == 1
    assert said in damage[0]
    assert "encoder.onnx" in damage[0]


@pytest.mark.parametrize("content", [b"", None], ids=["emptied", "deleted"])
def test_a_variant_with_a_short_file_is_not_complete(store: UnifiedModelManager, content: bytes | None) -> None:
    _published(store, b"graph")
    file = store.path(VARIANT) / "encoder.onnx"
    file.unlink() if content is None else file.write_bytes(content)
    assert store.complete(VARIANT) is None


def test_what_was_begun_is_continued_from_the_same_source_only(store: UnifiedModelManager) -> None:
    begun = store.workspace(VARIANT, "revision-1")
    (begun / "encoder.onnx.part").write_bytes(b"half")
    assert (store.workspace(VARIANT, "revision-1") / "encoder.onnx.part").read_bytes() == b"half"
    assert list(store.workspace(VARIANT, "revision-2").iterdir()) == []
    assert not begun.exists()
