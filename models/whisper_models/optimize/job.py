"""Making one of a target's variants: converted, then held against the full weights before anybody relies on it."""

from __future__ import annotations

from whisper_models.artifact import THRESHOLD, Manifest, Variant
from whisper_models.convert.job import convert
from whisper_models.progress import Progress
from whisper_models.store import UnifiedModelManager
from whisper_models.validate import validate


def make(store: UnifiedModelManager, variant: Variant, progress: Progress) -> Manifest:
    """The variant with its validation; whatever is there already is not made again.

    Raises:
        ModelFailure: as `convert` and `validate` say. A similarity below the threshold is no failure, but recorded.
    """
    convert(store, variant, progress)
    return validate(store, variant, None, THRESHOLD, progress)
