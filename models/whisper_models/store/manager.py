"""The unified model store: the only code that knows where a model lies and when a folder is one."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import ValidationError

from whisper_models.artifact import FileEntry, Manifest, Variant, digest_of
from whisper_models.errors import Incomplete, SourceMissing
from whisper_models.store import layout
from whisper_models.store.files import entry_of, sha256_of, sync, write_atomically
from whisper_models.store.writer import Patience, sole_writer

MANIFEST_LIMIT = 4 << 20


class UnifiedModelManager:
    """All variants below one root. Readers need no more than read access."""

    def __init__(self, root: Path, patience: Patience | None = None) -> None:
        self.root = root
        self._patience = patience or Patience()

    def location(self, variant: Variant) -> str:
        """A variant's path relative to the root, whether it is there or not."""
        return str(layout.location(variant))

    def manifest(self, variant: Variant) -> Manifest | None:
        """What is there, or None: a folder without a readable manifest is not a model."""
        return _read_manifest(self.root / layout.location(variant))

    def folder(self, variant: Variant) -> Path:
        """Where a variant's visible name leads now, whether there is anything or not."""
        return (self.root / layout.location(variant)).resolve()

    def path(self, variant: Variant) -> Path:
        """The folder to read a variant from, resolved: it stays the same content whatever is published later.

        Raises:
            SourceMissing: it is not in the store.
        """
        visible = self.root / layout.location(variant)
        if _read_manifest(visible) is None:
            raise SourceMissing(f"{variant} is not in {self.root}: download or convert it first")
        return visible.resolve()

    def complete(self, variant: Variant) -> Manifest | None:
        """The manifest if every file it lists is there in its full size: cheap, so it can be asked before each run."""
        manifest = self.manifest(variant)
        folder = self.root / layout.location(variant)
        sound = manifest and all(_size(folder / entry.path) == entry.size for entry in manifest.files)
        return manifest if sound else None

    def manifests(self) -> list[Manifest]:
        """Every variant that is there, by location."""
        found = (_read_manifest(path) for path in layout.locations(self.root))
        return [manifest for manifest in found if manifest is not None]

    def damage(self, variant: Variant, on_bytes: Callable[[int], None] = lambda _count: None) -> list[str]:
        """What on disk differs from the manifest, a sentence each; empty when every byte is as it was published.

        Raises:
            SourceMissing: it is not in the store.
        """
        folder = self.path(variant)
        manifest = _read_manifest(folder)
        return _damage(folder, manifest, on_bytes) if manifest else [f"{folder}: the manifest is gone"]

    @contextmanager
    def writing(self, variant: Variant, done: Callable[[], bool]) -> Iterator[bool]:
        """Be the one writer of a variant; False when somebody else made it so that `done()` while we waited."""
        visible = self.root / layout.location(variant)
        visible.parent.mkdir(parents=True, exist_ok=True)
        with sole_writer(layout.writer(visible), done, self._patience) as needed:
            yield needed

    def workspace(self, variant: Variant, key: str) -> Path:
        """The hidden folder to put a variant together in; what an earlier attempt with the same `key` left is in it."""
        visible = self.root / layout.location(variant)
        wanted = layout.making(visible, key)
        for stale in layout.all_making(visible):
            if stale != wanted:
                shutil.rmtree(stale)
        wanted.mkdir(parents=True, exist_ok=True)
        return wanted

    def reuse(self, variant: Variant, workspace: Path, files: Mapping[str, int]) -> None:
        """Link into a workspace those `files` (name: size) that an earlier folder of the variant has in that size.

        Only a hint: whoever asks must check their content, and never write into them.
        """
        for folder in reversed(layout.all_immutable(self.root / layout.location(variant))):  # mended ones first
            for name, size in files.items():
                with suppress(OSError):  # it is there already, or the volume knows no links: then it is fetched
                    if (folder / name).stat().st_size == size:
                        (workspace / name).hardlink_to(folder / name)

    def publish(self, workspace: Path, manifest: Manifest) -> None:
        """Make what lies in `workspace` a variant: manifest, then folder, then pointer, each in one step.

        At every moment the visible name leads to a whole variant, the old or the new one, or to none at all.
        """
        _keep_only(workspace, {entry.path for entry in manifest.files})
        for entry in manifest.files:
            sync(workspace / entry.path)
        write_atomically(workspace / layout.MANIFEST, manifest.model_dump_json(indent=2).encode())
        visible = self.root / layout.location(manifest.variant)
        folder = _settle(workspace, visible, manifest)
        _point(visible, folder)
        for damaged in layout.all_immutable(visible, manifest.digest):
            if damaged != folder:
                shutil.rmtree(damaged)  # readers keep what they have open

    def entries(self, workspace: Path, on_bytes: Callable[[int], None] = lambda _count: None) -> list[FileEntry]:
        """The files in a workspace as a manifest lists them."""
        return [entry_of(workspace, path, on_bytes) for path in sorted(workspace.rglob("*")) if path.is_file()]


def _read_manifest(folder: Path) -> Manifest | None:
    path = folder / layout.MANIFEST
    try:
        if path.stat().st_size > MANIFEST_LIMIT:
            return None
        return Manifest.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _damage(folder: Path, manifest: Manifest, on_bytes: Callable[[int], None]) -> list[str]:
    found = []
    for entry in manifest.files:
        path = folder / entry.path
        size = _size(path)
        if size is None:
            found.append(f"{path} is missing")
        elif size != entry.size:
            found.append(f"{path} has {size} bytes instead of {entry.size}")
        elif sha256_of(path, on_bytes) != entry.sha256:
            found.append(f"{path} is not the file that was published: its sha256 differs from the manifest's")
    if digest_of(manifest.files) != manifest.digest:
        found.append(f"{folder / layout.MANIFEST} does not agree with itself: its digest is not that of its files")
    return found


def _keep_only(workspace: Path, wanted: set[str]) -> None:
    for path in workspace.rglob("*"):
        if path.is_file() and path.relative_to(workspace).as_posix() not in wanted:
            path.unlink()
    missing = [name for name in sorted(wanted) if not (workspace / name).is_file()]
    if missing:
        raise Incomplete(f"{workspace} lacks {', '.join(missing)}: run the same command again")


def _settle(workspace: Path, visible: Path, manifest: Manifest) -> Path:
    """Give the finished workspace its lasting name: a sound folder of that content is kept, a damaged one passed by."""
    for turn in itertools.count(1):
        folder = layout.immutable(visible, manifest.digest, turn)
        if not folder.exists():
            workspace.rename(folder)
            break
        if _read_manifest(folder) == manifest and not _damage(folder, manifest, lambda _count: None):
            shutil.rmtree(workspace)
            break
    sync(visible.parent)
    return folder


def _point(visible: Path, folder: Path) -> None:
    new = layout.pointer(visible)
    new.unlink(missing_ok=True)
    new.symlink_to(folder.name)
    new.replace(visible)
    sync(visible.parent)
