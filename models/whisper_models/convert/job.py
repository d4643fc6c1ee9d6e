"""A conversion from variant to variant: find the source, convert, check what came out, publish."""

from __future__ import annotations

import importlib.metadata
import shutil
from pathlib import Path

from whisper_models.artifact import OFFERED, Manifest, Variant
from whisper_models.convert.checkpoint import open_checkpoint
from whisper_models.convert.formats import CONVERTERS, Converter, converter_of
from whisper_models.errors import (
    ConversionFailed,
    LibraryMissing,
    ModelFailure,
    SourceMissing,
    UnsupportedCheckpoint,
    from_os_error,
)
from whisper_models.progress import Progress, Stage
from whisper_models.store import Inspection, UnifiedModelManager, require_sound
from whisper_models.store.files import require_space

RECIPE = "recipe"
"""Key under which a manifest keeps the version of the conversion itself."""


def convert(store: UnifiedModelManager, variant: Variant, progress: Progress) -> Manifest:
    """The variant, made from the base variant of the same model unless it was made from that already and is sound.

    Raises:
        ModelFailure: SourceMissing without a base variant, ChecksumMismatch where that is damaged; else whichever of
            the tree in `errors` it is.
    """
    if variant.format not in CONVERTERS or variant.precision not in OFFERED[variant.format]:
        made = "; ".join(f"{form} {', '.join(OFFERED[form])}" for form in CONVERTERS)
        raise UnsupportedCheckpoint(f"{variant} is not made by this version, which converts to: {made}")
    try:
        converter = converter_of(variant.format)
        base = _base(store, variant)
        look = Inspection(store, variant, progress)
        with store.writing(variant, lambda: _already(look, base, converter) is not None) as due:
            if due:
                _make(store, variant, base, converter, progress)
        there = _already(look, base, converter)
    except ModelFailure:
        raise
    except OSError as error:
        raise from_os_error(error, store.root) from error
    except Exception as error:
        raise ConversionFailed(f"{variant}: {type(error).__name__}: {error}: report this as a defect") from error
    if there is None:
        raise ConversionFailed(f"{variant} vanished from {store.root} while it was being written: run it again")
    return there


def _base(store: UnifiedModelManager, variant: Variant) -> Manifest:
    base = store.complete(Variant.base(variant.model))
    if base is None:
        place = store.location(Variant.base(variant.model))
        raise SourceMissing(
            f"{store.root / place} holds no complete checkpoint of {variant.model} to convert: download it first"
        )
    return base


def _already(look: Inspection, base: Manifest, converter: Converter) -> Manifest | None:
    manifest = look.complete()
    same = manifest and manifest.made_from == base.digest and manifest.tools.get(RECIPE) == converter.RECIPE
    return manifest if same else None


def _make(
    store: UnifiedModelManager, variant: Variant, base: Manifest, converter: Converter, progress: Progress
) -> None:
    require_sound(store, base, progress)
    source = store.path(base.variant)
    workspace = _emptied(store.workspace(variant, base.digest.removeprefix("sha256:")))
    require_space(workspace, converter.bytes_needed(source, variant.precision))
    progress.begin(Stage.OPTIMIZING if variant.precision.is_rounded else Stage.CONVERTING)
    target = workspace / store.file_name(variant) if variant.format.is_for_whisper_cpp else workspace
    converter.convert(source, target, variant.precision, progress.file)
    progress.begin(Stage.VALIDATING, sum(path.stat().st_size for path in workspace.rglob("*") if path.is_file()))
    converter.check(target, open_checkpoint(source))
    entries = store.entries(workspace, progress.advance)
    tools = {RECIPE: converter.RECIPE, **{name: _version(name) for name in converter.TOOLS}}
    manifest = Manifest.describing(variant, entries, source=base.source, tools=tools, made_from=base.digest)
    store.publish(workspace, manifest)


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError as error:
        raise LibraryMissing(
            f"the conversion needs the Python package {distribution}, which is not installed here: "
            "pip install 'whisper-models[tools]'"
        ) from error


def _emptied(folder: Path) -> Path:
    """A conversion takes seconds: what a killed one left is made anew rather than trusted."""
    shutil.rmtree(folder)
    folder.mkdir()
    return folder
