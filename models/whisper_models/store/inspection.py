"""Whether a variant that seems to be there is what was published: every byte of it is read once.

Sizes are looked at each time, bytes only here: a disk that turned one over leaves the size as it was.
"""

from __future__ import annotations

from whisper_models.artifact import Manifest, Variant
from whisper_models.errors import ChecksumMismatch
from whisper_models.progress import Progress, Stage
from whisper_models.store.manager import UnifiedModelManager


class Inspection:
    """What a first look at a variant found, for as long as somebody works on it.

    A repair goes into another folder, so one that was found damaged stays so, and whoever waits for another's repair
    sees its end.
    """

    def __init__(self, store: UnifiedModelManager, variant: Variant, progress: Progress) -> None:
        self._store = store
        self._variant = variant
        self._damaged = store.folder(variant) if _damage(store, variant, progress) else None

    def complete(self) -> Manifest | None:
        """The manifest, if every file is there in its full size and the bytes were not found to be others."""
        if self._damaged is not None and self._store.folder(self._variant) == self._damaged:
            return None
        return self._store.complete(self._variant)


def require_sound(store: UnifiedModelManager, manifest: Manifest, progress: Progress) -> None:
    """Refuse to work from a damaged variant.

    Raises:
        ChecksumMismatch: with what is wrong.
    """
    if problems := _damage(store, manifest.variant, progress):
        raise ChecksumMismatch(f"{problems[0]}: download {manifest.model} again, which mends it")


def _damage(store: UnifiedModelManager, variant: Variant, progress: Progress) -> list[str]:
    manifest = store.complete(variant)
    if manifest is None:
        return []
    progress.begin(Stage.VERIFYING, manifest.size_bytes)
    return store.damage(variant, progress.advance)
