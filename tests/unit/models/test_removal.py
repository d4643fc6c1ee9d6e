"""What is removed is gone at once and wholly, whoever is interrupted; what is read stays."""

import os
import threading
import time
from pathlib import Path

import pytest
from whisper_models.artifact import Canary, Validation, Variant
from whisper_models.commands.tasks import making
from whisper_models.errors import Incomplete, SourceMissing
from whisper_models.progress import Progress
from whisper_models.store import UnifiedModelManager
from whisper_models.store import removal as removal_module
from whisper_models.store.writer import Patience

from tests.unit.models.builders import AUXILIARY, GGML, ONNX, file_of, published, put_together

KINDS = pytest.mark.parametrize("variant", [Variant.base("tiny.en"), ONNX, GGML, AUXILIARY], ids=str)
GOOD = Validation(similarity=0.99, threshold=0.95, transcripts=())
CANARY = Canary(clip="jfk", text="ask not")


@pytest.fixture
def store(tmp_path: Path) -> UnifiedModelManager:
    return UnifiedModelManager(tmp_path, Patience(beat=0.05, stale=60, poll=0.01))


@KINDS
def test_removing_frees_every_revision_and_what_is_unfinished(store: UnifiedModelManager, variant: Variant) -> None:
    published(store, b"old!", variant)
    published(store, b"newer", variant)
    put_together(store, b"unfinished", variant)
    manifests = sum(path.stat().st_size for path in store.root.rglob("manifest.json") if not path.is_symlink())
    assert store.remove(variant) == len(b"old!" + b"newer" + b"unfinished") + manifests
    assert list(store.root.iterdir()) == []
    assert store.remove(variant) == 0


def test_removing_leaves_the_neighbours(store: UnifiedModelManager) -> None:
    published(store)
    published(store, b"weights", GGML)
    store.remove(ONNX)
    assert [manifest.variant for manifest in store.manifests()] == [GGML]
    assert not (store.root / "onnx").exists()


def test_a_file_with_a_second_name_elsewhere_frees_nothing(store: UnifiedModelManager) -> None:
    published(store)
    (store.root / "kept").hardlink_to(store.path(ONNX) / file_of(ONNX))
    manifest = (store.path(ONNX) / "manifest.json").stat().st_size
    assert store.remove(ONNX) == manifest


@KINDS
def test_an_interrupted_removal_leaves_nothing_to_read_and_the_next_one_ends_it(
    store: UnifiedModelManager, variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(store, b"weights", variant)

    def die(folders: list[Path]) -> int:
        (folders[0] / file_of(variant)).unlink()
        raise KeyboardInterrupt

    monkeypatch.setattr(removal_module, "_delete", die)
    with pytest.raises(KeyboardInterrupt):
        store.remove(variant)
    monkeypatch.undo()
    assert store.manifests() == []
    assert store.unreadable() == {}
    assert store.remove(variant) > 0
    assert list(store.root.iterdir()) == []


@KINDS
def test_what_was_removed_can_be_made_again(store: UnifiedModelManager, variant: Variant) -> None:
    published(store, b"weights", variant)
    store.remove(variant)
    published(store, b"weights", variant)
    assert store.damage(variant) == []


def test_removing_waits_for_the_writer(store: UnifiedModelManager) -> None:
    published(store)
    freed: list[int] = []
    with store.writing(ONNX, lambda: False):
        remover = threading.Thread(target=lambda: freed.append(store.remove(ONNX)))
        remover.start()
        remover.join(0.2)
        assert store.manifest(ONNX) is not None
    remover.join(30)
    assert freed
    assert store.manifest(ONNX) is None


@KINDS
def test_pruning_takes_only_what_nothing_points_to(store: UnifiedModelManager, variant: Variant) -> None:
    published(store, b"old", variant)
    old = store.path(variant)
    current = published(store, b"new", variant)
    assert store.prune(variant) == 0, "a reader may still be opening what the name led to a moment ago"
    assert old.exists()
    assert store.prune(variant, idle=0) > 0
    assert not old.exists()
    assert store.manifest(variant) == current
    assert store.damage(variant) == []


def test_a_day_after_a_new_revision_the_next_command_takes_the_old_one_away(store: UnifiedModelManager) -> None:
    published(store, b"old")
    old = store.path(ONNX)
    current = published(store, b"new")
    made = making(store, ONNX, lambda _progress: current)
    made.work(Progress())
    assert old.exists()

    name = store.root / store.location(ONNX)
    a_day_ago = time.time() - 86_401
    os.utime(name, (a_day_ago, a_day_ago), follow_symlinks=False)
    made.work(Progress())
    assert not old.exists()
    assert store.damage(ONNX) == []


def test_pruning_keeps_what_is_known_to_be_served(store: UnifiedModelManager) -> None:
    served = published(store, b"served")
    folder = store.path(ONNX)
    published(store, b"new")
    assert store.prune(ONNX, idle=0, keep={served.digest}) == 0
    assert folder.exists()


@KINDS
def test_a_validation_is_recorded_beside_files_that_stay_as_they_are(
    store: UnifiedModelManager, variant: Variant
) -> None:
    made = published(store, b"weights", variant)
    recorded = store.record(variant, GOOD, CANARY, digest=made.digest)
    assert store.manifest(variant) == recorded
    assert (recorded.validation, recorded.canary) == (GOOD, CANARY)
    assert (recorded.digest, recorded.files) == (made.digest, made.files)
    assert store.damage(variant) == []


def test_publishing_the_same_again_forgets_no_validation(store: UnifiedModelManager) -> None:
    published(store)
    recorded = store.record(ONNX, GOOD, CANARY)
    published(store)
    assert store.manifest(ONNX) == recorded


def test_a_validation_of_other_content_is_not_recorded(store: UnifiedModelManager) -> None:
    validated = published(store, b"old")
    published(store, b"new")
    with pytest.raises(Incomplete, match="replaced while"):
        store.record(ONNX, GOOD, CANARY, digest=validated.digest)
    with pytest.raises(SourceMissing):
        store.record(GGML, GOOD, CANARY)
    manifest = store.manifest(ONNX)
    assert manifest is not None
    assert manifest.validation is None
