"""Takes a file over from this machine: copied block by block, hashed on the way, made durable, then named."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

from whisper_models.artifact import FileEntry
from whisper_models.errors import Incomplete
from whisper_models.progress import Progress
from whisper_models.store.files import BLOCK, sync


def copy(read: BinaryIO, size: int, target: Path, name: str, progress: Progress) -> FileEntry:
    """Put `size` bytes under `name` below `target`.

    Raises:
        Incomplete: there were fewer or more.
    """
    progress.file(name)
    path = target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    part, digest, count = path.with_name(f"{path.name}.part"), hashlib.sha256(), 0
    with part.open("wb") as out:
        while count <= size and (block := read.read(BLOCK)):
            out.write(block)
            digest.update(block)
            progress.advance(len(block))
            count += len(block)
    if count != size:
        raise Incomplete(f"{name} has {count} bytes and should have {size}: has it been written to meanwhile?")
    sync(part)
    part.rename(path)
    sync(path.parent)
    return FileEntry(path=name, size=size, sha256=digest.hexdigest())
