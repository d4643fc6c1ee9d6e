"""Validating one variant: its bytes, its engine, and its words against those of the full weights."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from pathlib import Path

from whisper_models.artifact import Canary, Format, Manifest, Precision, Transcript, Validation, Variant
from whisper_models.clips import BUNDLED, Clip, bundled
from whisper_models.convert.checkpoint import open_checkpoint
from whisper_models.errors import ChecksumMismatch, Incomplete, ModelFailure, ValidationFailed, from_os_error
from whisper_models.progress import Progress, Stage
from whisper_models.store import UnifiedModelManager
from whisper_models.validate.auxiliary import require_loadable
from whisper_models.validate.hearing import engine_path, hear, versions
from whisper_models.validate.reference import Reference
from whisper_models.validate.samples import digest_of, samples_in
from whisper_models.validate.similarity import ENGLISH, similarity

RECIPE = "1"
"""Changes when the same variant and samples would be measured differently."""


def validate(
    store: UnifiedModelManager, variant: Variant, folder: Path | None, threshold: float, progress: Progress
) -> Manifest:
    """As `whisper_models.validate.validate` says, with all libraries there."""
    try:
        manifest = _sound(store, variant, progress)
        progress.begin(Stage.VALIDATING)
        if variant.format is Format.PYTORCH:
            open_checkpoint(store.path(variant))
            return manifest
        if variant.format is Format.COREML:
            return manifest
        if variant.format is Format.AUXILIARY:
            require_loadable(store, manifest)
            return manifest
        samples = samples_in(folder) if folder else BUNDLED
        tools = _measured_with(variant, samples)
        if manifest.validation and (manifest.validation.threshold, manifest.validation.tools) == (threshold, tools):
            return manifest
        transcripts = _compare(store, manifest, samples, progress)
    except ModelFailure:
        raise
    except OSError as error:
        raise from_os_error(error, store.root) from error
    least = min(transcript.similarity for transcript in transcripts)
    found = Validation(similarity=least, threshold=threshold, transcripts=transcripts, tools=tools)
    return store.record(variant, found, _canary(found, samples), manifest.digest)


def _sound(store: UnifiedModelManager, variant: Variant, progress: Progress) -> Manifest:
    folder, manifest = store.path(variant), store.manifest(variant)
    if manifest is None:
        raise Incomplete(f"{folder} was taken away meanwhile: run the same command again")
    progress.begin(Stage.VERIFYING, manifest.size_bytes)
    if problems := store.damage(variant, progress.advance):
        raise ChecksumMismatch(f"{problems[0]}: make {variant} again, which mends it")
    return manifest


def _measured_with(variant: Variant, samples: Sequence[Clip]) -> dict[str, str]:
    return versions(variant.format) | _expected_with(samples)


def _expected_with(samples: Sequence[Clip]) -> dict[str, str]:
    """What the reference's texts depend on."""
    normalizer = "whisper-normalizer"
    tools = {"recipe": RECIPE, "samples": digest_of(samples), normalizer: importlib.metadata.version(normalizer)}
    return tools | versions(Format.ONNX)


def _compare(
    store: UnifiedModelManager, manifest: Manifest, samples: Sequence[Clip], progress: Progress
) -> tuple[Transcript, ...]:
    variant = manifest.variant
    progress.file(str(variant))
    heard = hear(variant, engine_path(store, variant), manifest.size_bytes, samples)
    if (variant.format, variant.precision) == (Format.ONNX, Precision.FP32):
        expected = heard
    else:
        expected = Reference(store, manifest, samples).texts(_expected_with(samples), progress)
    if not any(expected):
        raise ValidationFailed(
            f"FP32 ONNX of {variant.model} hears no word in {', '.join(clip.name for clip in samples)}: "
            "give samples with speech, or another checkpoint"
        )
    return tuple(
        _transcript(clip, wanted, found, english_only=variant.model.endswith(".en"))
        for clip, wanted, found in zip(samples, expected, heard, strict=True)
    )


def _transcript(clip: Clip, expected: str, text: str, *, english_only: bool) -> Transcript:
    alike = similarity(expected, text, ENGLISH if english_only else clip.language)
    return Transcript(clip=clip.name, text=text, expected=expected, similarity=alike)


def _canary(found: Validation, samples: Sequence[Clip]) -> Canary | None:
    """The first clip that a runtime has as well; none from a variant whose words are not to be relied on."""
    known = (text for clip, text in zip(samples, found.transcripts, strict=True) if bundled(clip.name) == clip)
    first = next(known, None)
    return Canary(clip=first.clip, text=first.text) if first and found.passed else None
