"""Compares a model's files with what its manifest says was published.

A flipped bit would not stop anything from loading: it would be heard as wrong words, and nobody could tell why.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from whisper_models.artifact import FileEntry
from whisper_models.errors import ChecksumMismatch
from whisper_models.store.files import sha256_of

from whisper_runtime.engine import Artifact

_LOG = logging.getLogger(__name__)


def verify(artifact: Artifact, threads: int) -> None:
    """Read every byte; blocks.

    Raises:
        ChecksumMismatch: naming each file that is not what was published.
    """
    begun = time.perf_counter()
    largest_first = sorted(artifact.files, key=lambda entry: -entry.size)
    with ThreadPoolExecutor(threads, thread_name_prefix="verify") as pool:
        found = pool.map(lambda entry: _damage(artifact.path / entry.path, entry), largest_first)
        damage = [sentence for sentence in found if sentence]
    if damage:
        raise ChecksumMismatch(f"{'; '.join(damage)}: download or convert it again, which mends it")
    size = sum(entry.size for entry in artifact.files)
    seconds = time.perf_counter() - begun
    _LOG.info("verified %d bytes in %d files", size, len(artifact.files), extra={"seconds": round(seconds, 3)})


def _damage(path: Path, entry: FileEntry) -> str | None:
    try:
        same = path.stat().st_size == entry.size and sha256_of(path) == entry.sha256
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    return None if same else f"{path} is not the file that was published: its sha256 differs from the manifest's"
