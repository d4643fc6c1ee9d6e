"""Finds the variant to serve in the model store. Nothing here knows a path inside it."""

from __future__ import annotations

from pathlib import Path

from whisper_models.artifact import Format, Manifest, Precision, Variant
from whisper_models.catalogue import canonical
from whisper_models.errors import Incomplete, UnverifiedModel
from whisper_models.store import UnifiedModelManager

from whisper_runtime.engine import Artifact


def find_artifact(root: Path, model: str, form: Format, precision: str, *, allow_unverified: bool = False) -> Artifact:
    """The files of a variant.

    Raises:
        ValueError: no such precision.
        UnverifiedModel: it did not pass its validation, and is not allowed all the same.
        ModelFailure: the store has no such variant, or it is not whole.
    """
    variant = Variant(canonical(model), form, Precision(precision))
    store = UnifiedModelManager(root)
    path = store.path(variant)
    manifest = store.complete(variant)
    if manifest is None:
        raise Incomplete(f"{variant} in {root} is not whole: download or convert it again")
    if not allow_unverified:
        _require_verified(manifest)
    return Artifact(
        path,
        variant.model,
        variant.precision,
        manifest.size_bytes,
        digest=manifest.digest,
        canary=manifest.canary,
        validation=manifest.validation,
        files=manifest.files,
        written_at=max((int((path / file.path).stat().st_mtime) for file in manifest.files), default=None),
    )


def _require_verified(manifest: Manifest) -> None:
    """What was never validated is served: it was checked when it was made."""
    found = manifest.validation
    if found and not found.passed:
        raise UnverifiedModel(
            f"{manifest.variant} came out of its validation with a similarity of {found.similarity:.3f}, and "
            f"{found.threshold:.3f} was asked for: serve another precision, validate it again with a lower threshold, "
            "or allow it with --allow-unverified"
        )
