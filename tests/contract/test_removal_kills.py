"""A removal and a validation's record are killed before every single change that they make on disk."""

from __future__ import annotations

import logging
import multiprocessing
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from whisper_models.artifact import Canary, Format, Manifest, Precision, Source, Validation, Variant
from whisper_models.store import UnifiedModelManager
from whisper_models.store.writer import Patience

from tests.support.killed import until_change

log = logging.getLogger(__name__)
DEADLINE = 60.0
VARIANTS = [Variant("tiny", Format.GGML, Precision.Q5_0), Variant("vad/silero", Format.AUXILIARY, Precision.STORED)]
GOOD = Validation(similarity=0.99, threshold=0.95, transcripts=())
CANARY = Canary(clip="jfk", text="ask not")


@pytest.fixture(scope="module")
def forked() -> Any:
    """Makes processes quickly, without this one's threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _store(root: Path) -> UnifiedModelManager:
    return UnifiedModelManager(root, Patience(poll=0.02, stale=0.5))


def _filled(root: Path, variant: Variant) -> Manifest:
    """Two revisions, and something unfinished."""
    store = _store(root)
    for content in (b"old", b"new"):
        workspace = store.workspace(variant, "key")
        name = store.file_name(variant) if variant.format is Format.GGML else "below/weights"
        (workspace / name).parent.mkdir(exist_ok=True)
        (workspace / name).write_bytes(content)
        source = Source(repo="o/r", revision="c" * 40, endpoint="http://hub")
        manifest = Manifest.describing(variant, store.entries(workspace), source=source, tools={})
        store.publish(workspace, manifest)
    (store.workspace(variant, "key") / "unfinished.part").write_bytes(b"half")
    return manifest


def _work(root: Path, variant: Variant, last: int, what: str) -> None:
    store = _store(root)
    until_change(root, last, partial(getattr(store, what), variant, *([GOOD, CANARY] if what == "record" else [])))


def _killed_at_each(forked: Any, tmp_path: Path, variant: Variant, what: str, then: Callable[[Path], None]) -> int:
    for last in range(1, 200):
        root = tmp_path / f"{what}-{last}"
        _filled(root, variant)
        process = forked.Process(target=_work, args=(root, variant, last, what))
        process.start()
        process.join(DEADLINE)
        assert process.exitcode in (0, -signal.SIGKILL)
        then(root)
        if process.exitcode == 0:
            log.info("%s of %s was killed before each of %s changes", what, variant, last - 1)
            return last - 1
    raise AssertionError("it never came to its end")


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_a_killed_removal_leaves_all_or_nothing_to_read_and_the_next_one_ends_it(
    forked: Any, tmp_path: Path, variant: Variant
) -> None:
    def look(root: Path) -> None:
        store = _store(root)
        assert store.unreadable() == {}
        if store.manifest(variant) is not None:
            assert store.damage(variant) == []
        store.remove(variant)
        assert not store.holds(variant)
        assert list(root.iterdir()) == []

    assert _killed_at_each(forked, tmp_path, variant, "remove", look) > 8


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_a_killed_record_leaves_the_old_manifest_or_the_new_one(forked: Any, tmp_path: Path, variant: Variant) -> None:
    def look(root: Path) -> None:
        store = _store(root)
        assert store.damage(variant) == []
        found = store.manifest(variant)
        assert found is not None
        assert found.validation in (None, GOOD)
        assert store.record(variant, GOOD, CANARY).validation == GOOD
        assert store.damage(variant) == []

    assert _killed_at_each(forked, tmp_path, variant, "record", look) >= 2
