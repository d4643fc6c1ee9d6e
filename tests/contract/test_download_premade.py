"""Variants and auxiliary models as they are published: taken as they are, and refused where they are something else."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from whisper_models.artifact import PREMADE, Format, Precision, Variant
from whisper_models.catalogue import lookup, lookup_auxiliary
from whisper_models.download import (
    HubSource,
    download,
    download_auxiliary,
    download_premade,
    published_source,
)
from whisper_models.errors import AuthFailed, ChecksumMismatch, GatedRepo, NotFound, UnknownModel, UnsupportedCheckpoint
from whisper_models.progress import Progress
from whisper_models.store import UnifiedModelManager

from tests.support.artifacts import converted_folder
from tests.support.downloads import BASE, ENTRY, QUICK
from tests.support.hub import Hub, serve
from tests.support.weights import PARCELS

FP16 = Variant("tiny.en", Format.CTRANSLATE2, Precision.FP16)
OPENVINO = Variant("tiny.en", Format.OPENVINO, Precision.INT8)
GGML = Variant("tiny.en", Format.GGML, Precision.Q5_0)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Repositories with ready-made variants: the real CTranslate2 model of tiny.en, and fine-tunes in all formats."""
    root = tmp_path_factory.mktemp("published")
    real = root / "Systran/faster-whisper-tiny.en"
    real.mkdir(parents=True)
    for path in PARCELS["tiny.en"].file("config.json").parent.iterdir():
        (real / path.name).symlink_to(path)
    (real / "README.md").write_text("not read by any engine")
    ours = root / "us/tiny.en-openvino"
    shutil.copytree(converted_folder("tiny.en", Format.OPENVINO, "int8"), ours)
    (ours / "manifest.json").unlink()
    ggml = root / "us/tiny.en-ggml"
    ggml.mkdir()
    made = converted_folder("tiny.en", Format.GGML, "q5_0") / "ggml-tiny.en-q5_0.bin"
    (ggml / "ggml-model-q5_0.bin").symlink_to(made)
    (ggml / "ggml-model-q8_0.bin").symlink_to(made)
    return root


@pytest.fixture
def premade(published: Path) -> Iterator[Hub]:
    with serve(published) as server:
        yield server


def test_what_the_catalogue_knows_to_be_published_is_taken_with_its_digests(
    premade: Hub, store: UnifiedModelManager
) -> None:
    """This model.bin is the published one, byte for byte, so the catalogue's own digest is compared."""
    source = published_source(FP16, premade.url)
    assert source is not None
    entry = lookup("tiny.en").published(FP16.format, FP16.precision)
    assert entry is not None
    source = replace(source, digests=entry.digests)
    manifest = download_premade(store, FP16, source, Progress(), QUICK)
    assert {file.path for file in manifest.files} == {"config.json", "model.bin", "tokenizer.json", "vocabulary.txt"}
    assert (manifest.source.repo, manifest.source.revision) == (entry.repo, entry.revision)
    assert manifest.tools == {PREMADE: entry.repo}
    assert manifest.made_from is None
    assert store.damage(FP16) == []
    asked = len(premade.requests)
    assert download_premade(store, FP16, source, Progress(), QUICK) == manifest
    assert len(premade.requests) == asked


def test_a_hub_that_publishes_other_bytes_for_a_pinned_commit_is_not_believed(
    premade: Hub, store: UnifiedModelManager
) -> None:
    source = published_source(FP16, premade.url)
    assert source is not None
    with pytest.raises(ChecksumMismatch, match="than the catalogue has"):
        download_premade(store, FP16, replace(source, digests={"model.bin": "0" * 64}), Progress(), QUICK)
    with pytest.raises(ChecksumMismatch, match="arrived with another digest"):
        download_premade(store, FP16, replace(source, digests={"config.json": "0" * 64}), Progress(), QUICK)
    assert store.manifests() == []


def test_the_catalogues_digests_count_for_the_hub_that_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert HubSource.catalogued(ENTRY).digests == ENTRY.digests != {}
    assert HubSource.catalogued(ENTRY, "http://mirror").digests == {}
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror")
    assert HubSource.catalogued(ENTRY).digests == {}


@pytest.mark.parametrize(("variant", "repo"), [(OPENVINO, "us/tiny.en-openvino"), (GGML, "us/tiny.en-ggml")], ids=str)
def test_a_repository_of_ones_own_is_taken_by_the_usual_names(
    premade: Hub, store: UnifiedModelManager, variant: Variant, repo: str
) -> None:
    manifest = download_premade(store, variant, HubSource(repo, "main", premade.url), Progress(), QUICK)
    assert manifest.tools == {PREMADE: repo}
    assert store.complete(variant) == manifest
    made = converted_folder("tiny.en", variant.format, variant.precision)
    for entry in manifest.files:
        assert entry.sha256 == hashlib.sha256((made / entry.path).read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("variant", "repo"),
    [
        (Variant("tiny.en", Format.GGML, Precision.Q8_0), "us/tiny.en-ggml"),
        (Variant("tiny.en", Format.CTRANSLATE2, Precision.INT8), "Systran/faster-whisper-tiny.en"),
        (Variant("tiny.en", Format.OPENVINO, Precision.INT4), "us/tiny.en-openvino"),
        (Variant("tiny.en", Format.OPENVINO, Precision.FP16), "us/tiny.en-openvino"),
    ],
    ids=str,
)
def test_another_precision_than_its_name_says_is_refused(
    premade: Hub, store: UnifiedModelManager, variant: Variant, repo: str
) -> None:
    with pytest.raises(UnsupportedCheckpoint, match="convert it from the checkpoint"):
        download_premade(store, variant, HubSource(repo, "main", premade.url), Progress(), QUICK)
    assert store.manifests() == []


def test_a_source_without_the_variant_says_so_and_nothing_is_known_of_what_nobody_published(
    premade: Hub, store: UnifiedModelManager
) -> None:
    source = HubSource("us/tiny.en-ggml", "main", premade.url)
    with pytest.raises(NotFound, match="convert it from the checkpoint"):
        download_premade(store, OPENVINO, source, Progress(), QUICK)
    assert published_source(Variant("tiny.en", Format.ONNX, Precision.INT8)) is None
    assert published_source(Variant("our-dialect", Format.GGML, Precision.FP16)) is None


@pytest.fixture
def around(tmp_path: Path) -> Iterator[Hub]:
    """Repositories laid out as the auxiliary models' are; what is in the files does not matter to a download."""
    for name in ("vad/silero", "diarization/pyannote", "language/voxlingua107"):
        entry = lookup_auxiliary(name)
        for file in entry.files:
            path = tmp_path / "around" / entry.repo / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"{name} {file.path}".encode())
        (tmp_path / "around" / entry.repo / "unread.bin").write_bytes(b"x" * 1000)
    with serve(tmp_path / "around") as server:
        yield server


@pytest.mark.parametrize("name", ["vad/silero", "diarization", "language/voxlingua107"])
def test_an_auxiliary_model_is_exactly_the_files_that_are_read(
    around: Hub, store: UnifiedModelManager, name: str
) -> None:
    entry = lookup_auxiliary(name)
    variant = Variant(entry.name, Format.AUXILIARY, Precision.STORED)
    source = HubSource.catalogued(entry, around.url)
    manifest = download_auxiliary(store, name, source, Progress(), QUICK)
    assert {file.path for file in manifest.files} == {file.name for file in entry.files}
    assert manifest.source.revision == entry.revision
    assert store.location(variant) == f"phenome/{entry.name}"
    assert store.damage(variant) == []
    assert download_auxiliary(store, name, source, Progress(), QUICK) == manifest


def test_a_gated_model_has_its_reason_until_its_terms_are_accepted(around: Hub, store: UnifiedModelManager) -> None:
    entry = lookup_auxiliary("diarization")
    source = HubSource.catalogued(entry, around.url)
    around.faults.replace([{"kind": "status", "status": 403, "code": "GatedRepo"}])
    with pytest.raises(GatedRepo, match="accept its terms"):
        download_auxiliary(store, entry.name, source, Progress(), QUICK)
    around.faults.replace([{"kind": "status", "status": 401}])
    with pytest.raises(AuthFailed):
        download_auxiliary(store, entry.name, source, Progress(), QUICK)
    around.faults.replace([])
    download_auxiliary(store, entry.name, source, Progress(), QUICK)


def test_an_auxiliary_model_that_nobody_knows_is_named(around: Hub, store: UnifiedModelManager) -> None:
    with pytest.raises(UnknownModel, match="vad/silero"):
        download_auxiliary(store, "vad/silerro", HubSource("o/r", "main", around.url), Progress(), QUICK)


def test_a_mirror_that_lacks_a_file_of_it_is_named(around: Hub, store: UnifiedModelManager) -> None:
    entry = lookup_auxiliary("language")
    (around.root / entry.repo / "classifier.ckpt").unlink()
    with pytest.raises(NotFound, match=r"classifier\.ckpt"):
        download_auxiliary(store, entry.name, HubSource.catalogued(entry, around.url), Progress(), QUICK)


def test_a_fine_tune_is_taken_by_its_repository(repositories: Path, store: UnifiedModelManager) -> None:
    with serve(repositories) as hub:
        source = HubSource(ENTRY.repo, "main", hub.url)
        assert download(store, "our-dialect", source, Progress(), QUICK).model == "our-dialect"
    assert store.manifest(BASE) is None
