"""What a variant makes of all samples, through its own engine."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from pathlib import Path

from whisper_models.artifact import Format, Variant
from whisper_models.clips import Clip
from whisper_models.errors import LibraryMissing
from whisper_models.store import UnifiedModelManager
from whisper_models.validate.process import Bounds, Work, run
from whisper_models.validate.transcribers import ENGINES, TRANSCRIBERS
from whisper_models.validate.windows import windows

LONGEST_TEXT = 8192
"""Characters that a manifest keeps of one transcript, and that are compared."""


def hear(variant: Variant, path: Path, size: int, samples: Sequence[Clip]) -> tuple[str, ...]:
    """The text of each sample; `path` is what the engine opens, `size` its bytes.

    Raises:
        ValidationFailed: as `run` says.
        UnusableSample: as `windows` says.
    """
    cut = [(window, number, clip.language) for number, clip in enumerate(samples) for window in windows(clip)]
    heard_windows, owners, languages = zip(*cut, strict=True)
    work = Work(str(variant), TRANSCRIBERS[variant.format], path, heard_windows, languages)
    heard = run(work, Bounds.of(size, len(cut)))
    texts = ((text for text, owner in zip(heard, owners, strict=True) if owner == n) for n in range(len(samples)))
    return tuple(" ".join(text)[:LONGEST_TEXT] for text in texts)


def engine_path(store: UnifiedModelManager, variant: Variant) -> Path:
    """What the variant's engine opens: a file for GGML, a folder for all others."""
    return store.file(variant) if variant.format is Format.GGML else store.path(variant)


def versions(form: Format) -> dict[str, str]:
    """Of the libraries that decide what a variant of this format is heard to say.

    Raises:
        LibraryMissing: naming what to install.
    """
    try:
        return {name: importlib.metadata.version(name) for name in ENGINES[form]}
    except importlib.metadata.PackageNotFoundError as error:
        raise LibraryMissing(
            f"validating {form} needs the Python package {error.name}, which is not installed here: "
            "pip install 'whisper-models[engines]'"
        ) from error
