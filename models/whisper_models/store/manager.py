"""The unified model store: the only code that knows where a model lies and when a folder is one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from whisper_models.artifact import Canary, FileEntry, Format, Manifest, Validation, Variant
from whisper_models.errors import Incomplete, SourceMissing, UnknownModel, from_os_error
from whisper_models.store import layout, publishing, removal
from whisper_models.store.damage import damage_in, size_of
from whisper_models.store.files import entry_of
from whisper_models.store.layout import Place
from whisper_models.store.manifest_file import read_manifest, write_manifest
from whisper_models.store.writer import Patience, sole_writer

IDLE = 3600.0
"""Seconds that a revision stays after the name has moved on, for those who were about to read it."""


def _how_to_get(variant: Variant) -> str:
    """What brings a variant here, for whoever is told that it is not."""
    if variant.format is Format.AUXILIARY:
        return f"get it with `whisper-models download --auxiliary {variant.model}`"
    download = f"whisper-models download --models {variant.model}"
    if variant.format is Format.PYTORCH:
        return f"get it with `{download}`"
    if variant.format is Format.COREML:
        return (
            f"get it on macOS with `{download}`, then `whisper-models optimize --target mac --models {variant.model}`"
        )
    convert = f"whisper-models convert --model {variant.model} --format {variant.format}"
    return f"get it with `{download}`, then `{convert} --precision {variant.precision}`"


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
        manifest = self._read(self._place(variant))
        return manifest if manifest and manifest.variant == variant else None

    def folder(self, variant: Variant) -> Path:
        """Where a variant's visible name leads now, whether there is anything or not."""
        return self._place(variant).folder()

    def path(self, variant: Variant) -> Path:
        """The folder to read a variant from, resolved: it stays the same content whatever is published later.

        Raises:
            SourceMissing: it is not in the store.
        """
        if self.manifest(variant) is None:
            raise SourceMissing(f"{variant} is not in {self.root}: {_how_to_get(variant)}")
        return self.folder(variant)

    def file(self, variant: Variant) -> Path:
        """The file to read a GGML variant from, or CoreML's folder, resolved like `path`.

        Raises:
            SourceMissing: it is not in the store.
            ValueError: the variant's format is a folder of files.
        """
        return self.path(variant) / layout.model_file(variant)

    def file_name(self, variant: Variant) -> str:
        """What that must be called in a workspace.

        Raises:
            ValueError: the variant's format is a folder of files.
        """
        return layout.model_file(variant)

    def complete(self, variant: Variant) -> Manifest | None:
        """The manifest if every file it lists is there in its full size: cheap, so it can be asked before each run."""
        manifest, folder = self.manifest(variant), self.folder(variant)
        sound = manifest and all(size_of(folder, entry.path) == entry.size for entry in manifest.files)
        return manifest if sound else None

    def manifests(self) -> list[Manifest]:
        """Every variant that is there, by location."""
        return self.survey()[0]

    def unreadable(self) -> dict[Variant, str]:
        """The variants whose names once led to them and lead to none now: a sentence each."""
        return self.survey()[1]

    def survey(self) -> tuple[list[Manifest], dict[Variant, str]]:
        """`manifests`, and what is `unreadable` besides: each manifest is read once, for who tells of a whole store."""
        found, lost = list[Manifest](), dict[Variant, str]()
        for place, manifest in self._found():
            if manifest is not None:
                found.append(manifest)
            elif place.visible.is_symlink():
                sentence = f"{place.visible} leads to no readable {layout.MANIFEST} of that variant"
                lost[layout.variant_at(place.location)] = sentence
        return found, lost

    def damage(self, variant: Variant, on_bytes: Callable[[int], None] = lambda _count: None) -> list[str]:
        """What on disk differs from the manifest, a sentence each; empty when every byte is as it was published.

        Raises:
            SourceMissing: it is not in the store.
        """
        folder = self.path(variant)
        manifest = read_manifest(folder)
        return damage_in(folder, manifest, on_bytes) if manifest else [f"{folder}: the manifest is gone"]

    @contextmanager
    def writing(self, variant: Variant, done: Callable[[], bool]) -> Iterator[bool]:
        """Be the one writer of a variant; False when somebody else made it so that `done()` while we waited.

        Raises:
            PathTaken: something that is not the store's lies where the variant belongs.
        """
        place = self._place(variant)
        publishing.require_free_name(place)
        with sole_writer(place.writer, done, self._patience) as needed:
            yield needed

    def workspace(self, variant: Variant, key: str) -> Path:
        """The hidden folder to put a variant together in; what an earlier attempt with the same `key` left is in it."""
        place = self._place(variant)
        wanted = place.making(key)
        for stale in place.all_making():
            if stale != wanted:
                shutil.rmtree(stale)
        wanted.mkdir(parents=True, exist_ok=True)
        return wanted

    def reuse(self, variant: Variant, workspace: Path, files: Mapping[str, int]) -> None:
        """Link into a workspace those `files` (name: size) that an earlier folder of the variant has in that size.

        Only a hint: whoever asks must check their content, and never write into them.
        """
        for folder in reversed(self._place(variant).all_immutable()):  # mended ones first
            for name, size in files.items():
                with suppress(OSError):  # it is there already, or the volume knows no links: then it is fetched
                    if (folder / name).stat().st_size == size:
                        (workspace / name).parent.mkdir(parents=True, exist_ok=True)
                        (workspace / name).hardlink_to(folder / name)

    def publish(self, workspace: Path, manifest: Manifest) -> None:
        """Make what lies in `workspace` a variant: manifest, then folder, then pointer, each in one step.

        At every moment the visible name leads to a whole variant, the old or the new one, or to none at all.

        Raises:
            Incomplete: the workspace lacks a file.
            PathTaken: something that is not the store's lies where the variant belongs.
        """
        publishing.publish(self._place(manifest.variant), workspace, manifest)

    def record(
        self, variant: Variant, validation: Validation | None, canary: Canary | None, digest: str | None = None
    ) -> Manifest:
        """Write what a validation found into the manifest, in one step; the files and their digest stay as they are.

        With `digest`, only if that is still the content which was validated.

        Raises:
            SourceMissing: the variant is not in the store.
            Incomplete: it was replaced while it was being validated.
            StorageFailure: the volume refuses to be written.
        """
        try:
            with self.writing(variant, lambda: False):
                folder, there = self.path(variant), self.manifest(variant)
                if there is None or (digest and there.digest != digest):
                    raise Incomplete(f"{variant} was replaced while it was being validated: validate it again")
                recorded = there.model_copy(update={"validation": validation, "canary": canary})
                write_manifest(folder, recorded)
                return recorded
        except OSError as error:
            raise from_os_error(error, self.root) from error

    def remove(self, variant: Variant) -> int:
        """Take a variant away, with its older revisions and what is unfinished of it; the bytes that this freed.

        Its name goes first, so an interrupted removal leaves nothing that could be read; the next one ends it.

        Raises:
            PathTaken: what lies there was not put there by the store.
            StorageFailure: the volume refuses to be written.
        """
        return self._clear(variant, removal.remove)

    def holds(self, variant: Variant) -> bool:
        """Whether there is anything of a variant, readable or left by what was interrupted."""
        return removal.leftovers(self._place(variant))

    def prune(self, variant: Variant, idle: float = IDLE, keep: Collection[str] = ()) -> int:
        """Take away older revisions that nothing points to; the bytes that this freed.

        A reader who resolved the name before it moved may still be opening files: revisions stay for `idle` seconds
        after that, and those whose digest is in `keep`, because they are known to be served, stay for good.

        Raises:
            StorageFailure: the volume refuses to be written.
        """
        if not removal.outdated(self._place(variant)):
            return 0  # nothing is written, so a volume that cannot be written is no trouble
        return self._clear(variant, lambda place: removal.prune(place, idle, keep))

    def entries(self, workspace: Path, on_bytes: Callable[[int], None] = lambda _count: None) -> list[FileEntry]:
        """The files in a workspace as a manifest lists them."""
        return [entry_of(workspace, path, on_bytes) for path in sorted(workspace.rglob("*")) if path.is_file()]

    def _clear(self, variant: Variant, clear: Callable[[Place], int]) -> int:
        place = self._place(variant)
        publishing.require_free_name(place)
        freed = 0
        try:
            if removal.leftovers(place):
                with sole_writer(place.writer, lambda: False, self._patience):
                    freed = clear(place)
            removal.forget_empty_folders(place, self.root)
        except OSError as error:
            raise from_os_error(error, self.root) from error
        return freed

    def _place(self, variant: Variant) -> Place:
        return Place(self.root, layout.location(variant))

    def _found(self) -> Iterator[tuple[Place, Manifest | None]]:
        """Each visible name, and the manifest of the variant that belongs there."""
        for place in (Place(self.root, location) for location in layout.locations(self.root)):
            manifest = self._read(place)
            yield place, manifest if manifest and _belongs(manifest, place) else None

    def _read(self, place: Place) -> Manifest | None:
        folder = place.folder()
        inside = folder.is_relative_to(self.root.resolve())
        return read_manifest(folder) if inside else None


def _belongs(manifest: Manifest, place: Place) -> bool:
    try:
        return layout.location(manifest.variant) == place.location
    except UnknownModel:
        return False
