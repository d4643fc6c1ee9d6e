"""Finds the variant to serve in the model store. Nothing here knows a path inside it."""

from __future__ import annotations

from pathlib import Path

from whisper_models.artifact import Format, Precision, Variant
from whisper_models.catalogue import canonical
from whisper_models.errors import Incomplete
from whisper_models.store import UnifiedModelManager

from whisper_runtime.engine import Artifact


def find_artifact(root: Path, model: str, form: Format, precision: str) -> Artifact:
    """The files of a variant.

    Raises:
        ValueError: no such precision.
        ModelFailure: the store has no such variant, or it is not whole.
    """
    variant = Variant(canonical(model), form, Precision(precision))
    store = UnifiedModelManager(root)
    path = store.path(variant)
    manifest = store.complete(variant)
    if manifest is None:
        raise Incomplete(f"{variant} in {root} is not whole: download or convert it again")
    return Artifact(
        path,
        variant.model,
        variant.precision,
        manifest.size_bytes,
        digest=manifest.digest,
        canary=manifest.canary,
        files=manifest.files,
    )
