"""Complete model stores for tests and benchmarks, made once by the real converter and kept by what made them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import whisper_models
from whisper_models.artifact import Format, Manifest, Precision, Source, Variant
from whisper_models.catalogue import lookup
from whisper_models.convert.job import convert
from whisper_models.progress import Progress
from whisper_models.store import UnifiedModelManager

from tests.support.weights import cache_root, hf_folder, source_digest


def onnx_store(model: str, precision: str = "int8") -> Path:
    """The root of a store that holds the checkpoint of `model` and its ONNX variant; read it, never write to it."""
    return store_with(Variant(model, Format.ONNX, Precision(precision)))


def openvino_store(model: str, precision: str = "int8") -> Path:
    """The root of a store that holds the checkpoint of `model` and its OpenVINO variant; read it, never write to it."""
    return store_with(Variant(model, Format.OPENVINO, Precision(precision)))


def converted_folder(model: str, form: Format, precision: str) -> Path:
    """Where the files of such a variant lie; read them, never write to them."""
    variant = Variant(model, form, Precision(precision))
    return UnifiedModelManager(store_with(variant)).path(variant)


def store_with(variant: Variant) -> Path:
    """The root of a store that holds a checkpoint and this variant of it; read it, never write to it."""
    weights = hf_folder(variant.model)
    package = Path(whisper_models.__path__[0])
    made_by = source_digest(package / "convert", package / "store")
    root = cache_root() / "stores" / f"{weights.name}-{variant.format}-{variant.precision}-{made_by}"
    if not root.exists():
        root.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root.parent, prefix=".making-") as making:
            made = Path(making) / "store"
            store = UnifiedModelManager(made)
            import_checkpoint(store, variant.model, weights)
            convert(store, variant, Progress())
            if not root.exists():  # somebody else may have been faster
                made.rename(root)
    return root


def linked_copy(root: Path, to: Path) -> Path:
    """Add what is in the store `root` to another, by links: manifests may be written anew there, and nothing else."""
    for path in sorted(root.rglob("*")):
        there = to / path.relative_to(root)
        if path.is_dir() and not path.is_symlink():
            there.mkdir(parents=True, exist_ok=True)
        elif not there.is_symlink() and not there.exists():
            there.hardlink_to(path) if not path.is_symlink() else there.symlink_to(path.readlink())
    return to


def import_checkpoint(store: UnifiedModelManager, model: str, folder: Path) -> Manifest:
    """Publish a local Hugging Face folder as the base variant of `model`, linked rather than copied."""
    variant = Variant.base(model)
    entry = lookup(model)
    workspace = store.workspace(variant, entry.revision)
    for path in folder.iterdir():
        (workspace / path.name).hardlink_to(path)
    source = Source(repo=entry.repo, revision=entry.revision, endpoint="file")
    manifest = Manifest.describing(variant, store.entries(workspace), source=source, tools={})
    store.publish(workspace, manifest)
    return manifest
