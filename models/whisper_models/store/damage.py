"""What on disk differs from a manifest, a sentence each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from whisper_models.artifact import Manifest, digest_of
from whisper_models.store.files import sha256_of
from whisper_models.store.layout import MANIFEST
from whisper_models.store.manifest_file import seal_is_broken


def size_of(folder: Path, name: str) -> int | None:
    """A file's bytes; None where there is none, or a link that leads out of the folder."""
    path = folder / name
    try:
        if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
            return None
        return path.stat().st_size
    except (OSError, ValueError):
        return None


def damage_in(folder: Path, manifest: Manifest, on_bytes: Callable[[int], None]) -> list[str]:
    """Every difference; empty when each byte is as it was published. `on_bytes` hears of each block that is read."""
    found = []
    for entry in manifest.files:
        path, size = folder / entry.path, size_of(folder, entry.path)
        if size is None:
            found.append(f"{path} is missing")
        elif size != entry.size:
            found.append(f"{path} has {size} bytes instead of {entry.size}")
        elif sha256_of(path, on_bytes) != entry.sha256:
            found.append(f"{path} is not the file that was published: its sha256 differs from the manifest's")
    if seal_is_broken(folder):
        found.append(f"{folder / MANIFEST} is not as it was written: its seal does not fit")
    if digest_of(manifest.files) != manifest.digest:
        found.append(f"{folder / MANIFEST} does not agree with itself: its digest is not that of its files")
    return found
