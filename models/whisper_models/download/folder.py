"""A model in a folder on this machine: another store, a mounted claim, a checkpoint as published, one GGML file."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from whisper_models.artifact import FileEntry, Manifest, Source, Variant
from whisper_models.download.copies import copy
from whisper_models.download.offers import Errand, Offer, check_index, described
from whisper_models.download.retry import Patience
from whisper_models.download.selection import RemoteFile
from whisper_models.errors import ChecksumMismatch, PermissionDenied, UnusableSource
from whisper_models.progress import Stage
from whisper_models.store import UnifiedModelManager
from whisper_models.store.files import require_space, sha256_of

MOST_FILES = 10_000
HERE = "file"
"""The endpoint of what came from this machine, as manifests name it."""


@dataclass(frozen=True, slots=True)
class FolderSource:
    """Where to look."""

    path: Path

    @property
    def known(self) -> None:
        """A folder must be looked into."""
        return

    def offer(self, variant: Variant, patience: Patience) -> Offer:  # noqa: ARG002 - nobody needs to be waited for
        """The variant out of a store, where it is one, else the files that are there.

        Raises:
            UnusableSource: there is no such folder.
        """
        if not self.path.exists():
            raise UnusableSource(f"{self.path} does not exist: name a folder that holds a model, or another store")
        theirs = UnifiedModelManager(self.path)
        if manifest := theirs.complete(variant):
            return StoredOffer(theirs.path(variant), manifest)
        here = self.path.resolve()
        return FolderOffer(here.parent if here.is_file() else here, _listed(here))


@dataclass(frozen=True, slots=True)
class StoredOffer:
    """A variant of another store; it stays what it is, with all that is known of it."""

    folder: Path
    manifest: Manifest

    @property
    def published(self) -> Source:
        """As it was published to begin with."""
        return self.manifest.source

    def fill(self, errand: Errand) -> Manifest:
        """Link the files where that can be done, since neither store ever changes one; else copy them."""
        require_space(errand.folder, self.manifest.size_bytes)
        errand.progress.begin(Stage.VERIFYING, self.manifest.size_bytes)
        for entry in self.manifest.files:
            self._take(entry, errand)
        return self.manifest

    def _take(self, entry: FileEntry, errand: Errand) -> None:
        source, target = self.folder / entry.path, errand.folder / entry.path
        errand.progress.file(entry.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        try:
            target.hardlink_to(source)
            sha256 = sha256_of(target, errand.progress.advance)
        except OSError:  # another volume, or one that knows no links
            sha256 = _copied(source, entry.size, errand, entry.path).sha256
        if sha256 != entry.sha256:
            target.unlink()
            raise ChecksumMismatch(f"{source} is not the file that was published: mend that store first")


@dataclass(frozen=True, slots=True)
class FolderOffer:
    """Plain files; what they are is known only once they have been read."""

    folder: Path
    files: dict[str, RemoteFile]

    @property
    def published(self) -> Source:
        """Where they lie, and a digest of their names, sizes and times: the same again means that none was touched."""
        seen = []
        for name, file in sorted(self.files.items()):
            seen.append(f"{name}\0{file.size}\0{(self.folder / name).stat().st_mtime_ns}")
        revision = hashlib.sha256("\n".join(seen).encode()).hexdigest()
        return Source(repo=str(self.folder), revision=revision, endpoint=HERE)

    def fill(self, errand: Errand) -> Manifest:
        """Copy the chosen files: their owner may change them later, a store's never change."""
        published = self.published
        chosen = errand.choose(str(self.folder), self.files)
        total = sum(file.size for file in chosen)
        require_space(errand.folder, total)
        errand.progress.begin(Stage.VERIFYING, total)
        entries = []
        for file in chosen:
            entries.append(_copied(self.folder / file.path, file.size, errand, file.name))
            check_index(errand.folder, file.name, set(self.files))
        return described(errand, entries, published)


def _copied(source: Path, size: int, errand: Errand, name: str) -> FileEntry:
    try:
        with source.open("rb") as read:
            return copy(read, size, errand.folder, name, errand.progress)
    except PermissionError as error:
        if error.filename != str(source):
            raise
        raise PermissionDenied(f"not allowed to read {source}: let this user read it") from error


def _listed(path: Path) -> dict[str, RemoteFile]:
    """The files of a folder, or the one file, by their relative paths; links are followed, as caches have them."""
    if path.is_file():
        return {path.name: RemoteFile(path.name, path.stat().st_size)}
    found = (Path(folder, name) for folder, _below, names in os.walk(path) for name in names)
    plain = [file for file in islice(found, MOST_FILES) if file.is_file()]
    return {str(file.relative_to(path)): RemoteFile(str(file.relative_to(path)), file.stat().st_size) for file in plain}
