"""The manifest on disk: sealed when it is written, bounded when it is read.

The seal is the file's last field, the sha256 of everything before it. So a byte that a disk turns over is found in the
manifest too, whichever version of this package wrote it, and `jq` still reads it.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from pydantic import ValidationError

from whisper_models.artifact import Manifest
from whisper_models.store.files import write_atomically
from whisper_models.store.layout import MANIFEST

LARGEST = 4 << 20
"""Bytes; what is larger is no manifest of ours."""
END = "\n}"
SEAL = re.compile(rb',\n  "seal": "sha256:([0-9a-f]{64})"\n\}')
SEAL_LENGTH = len(',\n  "seal": "sha256:"\n}') + 64


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest of `folder` in one step."""
    plain = manifest.model_dump_json(indent=2)
    seal = hashlib.sha256(plain.encode()).hexdigest()
    sealed = f'{plain.removesuffix(END)},\n  "seal": "sha256:{seal}"{END}'
    write_atomically(folder / MANIFEST, sealed.encode())


def read_manifest(folder: Path) -> Manifest | None:
    """What `folder` says it is; None when there is nothing that can be read as a manifest."""
    plain, _sound = _unsealed(_content(folder))
    try:
        return Manifest.model_validate_json(plain)
    except ValidationError:
        return None


def seal_is_broken(folder: Path) -> bool:
    """Whether any byte of the manifest is another than was written."""
    return not _unsealed(_content(folder))[1]


def _content(folder: Path) -> bytes:
    path = folder / MANIFEST
    try:
        if not path.is_file() or path.is_symlink():  # a pipe would never end, a link could lead anywhere
            return b""
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except (OSError, ValueError):
        return b""
    return content if len(content) <= LARGEST else b""


def _unsealed(content: bytes) -> tuple[bytes, bool]:
    """The manifest without its seal, and whether that fits."""
    seal = SEAL.fullmatch(content[-SEAL_LENGTH:])
    if seal is None:
        return content, False
    plain = content[:-SEAL_LENGTH] + END.encode()
    return plain, hashlib.sha256(plain).hexdigest().encode() == seal[1]
