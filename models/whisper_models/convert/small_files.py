"""Reads the small files of a checkpoint, and no more of them than such a file can be."""

from __future__ import annotations

import os
from pathlib import Path

from whisper_models.errors import Incomplete, UnsupportedCheckpoint

SETTINGS = 1 << 20
"""Bytes: a hundred times what is published."""
TOKENIZER = INDEX = 32 << 20


def read_small(path: Path, most: int) -> bytes:
    """The file's content.

    Raises:
        Incomplete: it is not there.
        UnsupportedCheckpoint: it is larger than `most` bytes.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > most:
                raise UnsupportedCheckpoint(f"{path} is larger than {most} bytes: it is not that of a Whisper model")
            return file.read(size)
    except FileNotFoundError as error:
        raise Incomplete(f"{path} is missing: download the model again") from error


def short(text: object, most: int = 80) -> str:
    """Foreign text as a message can hold it: in one line, in ASCII, and not longer than a name is."""
    shown = ascii(text)
    return shown if len(shown) <= most else f"{shown[:most]}…"
