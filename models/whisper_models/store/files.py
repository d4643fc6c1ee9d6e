"""Bytes on a volume: hashed, made durable, and replaced in one step."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from whisper_models.artifact import FileEntry
from whisper_models.errors import DiskFull

BLOCK = 1 << 20
SPARE = 64 << 20
"""Kept free beyond what is about to be written: the manifest, and neighbours that write meanwhile."""


def sha256_of(path: Path, on_bytes: Callable[[int], None] = lambda _count: None) -> str:
    """The hex digest of a file; `on_bytes` hears of each block."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            on_bytes(len(block))
    return digest.hexdigest()


def entry_of(folder: Path, path: Path, on_bytes: Callable[[int], None] = lambda _count: None) -> FileEntry:
    """What a manifest says about one file of `folder`."""
    name = path.relative_to(folder).as_posix()
    return FileEntry(path=name, size=path.stat().st_size, sha256=sha256_of(path, on_bytes))


def sync(path: Path) -> None:
    """Make a file's content, or a folder's names, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def begin_to_write(file: BinaryIO, begin: int) -> int:
    """Have the disk begin with what was appended from `begin` on, while more comes; where the next such part begins.

    Linux does so when told that the part is not needed soon (mm/fadvise.c); what is not on disk yet stays in memory.
    """
    file.flush()
    end = file.tell()
    if sys.platform == "linux":
        with suppress(OSError):  # it is but a hint
            os.posix_fadvise(file.fileno(), begin, end - begin, os.POSIX_FADV_DONTNEED)
    return end


def write_atomically(path: Path, content: bytes) -> None:
    """Write a whole small file: readers see the old one or the new one."""
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.write_bytes(content)
    sync(unfinished)
    unfinished.replace(path)
    sync(path.parent)


def require_space(folder: Path, needed: int) -> None:
    """Refuse before the first byte what would fill the volume.

    Raises:
        DiskFull: with both figures.
    """
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE:
        raise DiskFull(
            f"{folder} has {free / 1e6:.0f} MB free and {(needed + SPARE) / 1e6:.0f} MB are needed: "
            "make the volume larger or remove variants no longer needed"
        )
