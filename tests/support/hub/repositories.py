"""Folders as Hub repositories: which commit a revision means, and the digests that the Hub publishes for each file."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

# Its data alone: in its image this server has nothing but Python, and the catalogue's types need more.
_CATALOGUE = tomllib.loads(files("whisper_models").joinpath("catalogue", "models.toml").read_text())
_PUBLISHED = [*_CATALOGUE["models"], *_CATALOGUE["auxiliaries"]]
_PREMADE = [variant for model in _CATALOGUE["models"] for variant in model.get("premade", ())]
PINNED = {entry["repo"]: entry["revision"] for entry in (*_PUBLISHED, *_PREMADE)}
LARGE_FILES = frozenset({".safetensors", ".bin", ".onnx", ".h5", ".msgpack", ".npz"})  # what the Hub keeps in LFS


@dataclass(frozen=True, slots=True)
class Blob:
    """One file with what the Hub says about it: sha256 for large files, git's sha1 for the others."""

    name: str
    path: Path
    size: int
    sha256: str | None
    git_sha1: str

    @property
    def etag(self) -> str:
        return self.sha256 or self.git_sha1

    def sibling(self) -> dict[str, object]:
        """The entry in a model's `siblings`, as with `?blobs=true`."""
        lfs = {"lfs": {"sha256": self.sha256, "size": self.size, "pointerSize": 134}} if self.sha256 else {}
        return {"rfilename": self.name, "size": self.size, "blobId": self.git_sha1, **lfs}


class Repository:
    """`ROOT/<organisation>/<name>`: its files, at one commit."""

    def __init__(self, identifier: str, folder: Path) -> None:
        self.identifier = identifier
        self.folder = folder

    def files(self) -> list[Blob]:
        """Every file; hashed once, and again when it changed."""
        return [_blob(self.folder, path) for path in sorted(self.folder.rglob("*")) if path.is_file()]

    def file(self, name: str) -> Blob | None:
        return next((blob for blob in self.files() if blob.name == name), None)

    @property
    def commit(self) -> str:
        """The catalogue's pin where there is one, else a digest of the content."""
        content = "".join(blob.name + blob.etag for blob in self.files())
        return PINNED.get(self.identifier) or hashlib.sha1(content.encode()).hexdigest()

    def resolves(self, revision: str) -> bool:
        return revision in ("main", self.commit)


def find(root: Path, identifier: str) -> Repository | None:
    """The repository of this name, if there is a folder for it."""
    folder = root / identifier
    inside = root.resolve() in folder.absolute().parents and ".." not in folder.parts
    return Repository(identifier, folder) if inside and folder.is_dir() else None


def _blob(folder: Path, path: Path) -> Blob:
    status = path.stat()
    sha256, git_sha1 = _digests(path, status.st_size, status.st_mtime_ns)
    return Blob(str(path.relative_to(folder)), path, status.st_size, sha256, git_sha1)


@lru_cache(maxsize=1024)
def _digests(path: Path, _size: int, _changed: int) -> tuple[str | None, str]:
    content = path.read_bytes()
    if path.suffix in LARGE_FILES:
        sha256 = hashlib.sha256(content).hexdigest()
        content = sha256.encode()  # stands for the small pointer file that git holds instead
    else:
        sha256 = None
    return sha256, hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
