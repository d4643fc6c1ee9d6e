"""Taking variants away: the name first, then what it led to, so that no reader ever finds half of one."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

from whisper_models.store.files import sync
from whisper_models.store.layout import Place
from whisper_models.store.manifest_file import read_manifest


def remove(place: Place) -> int:
    """Take away everything of a variant, finished or not; the bytes that this freed."""
    if place.visible.is_symlink():
        place.visible.unlink()
        sync(place.visible.parent)
    place.pointer.unlink(missing_ok=True)
    return _delete([*place.all_immutable(), *place.all_making()])


def prune(place: Place, idle: float, keep: Collection[str]) -> int:
    """Take away the revisions that the name has left for `idle` seconds; the bytes that this freed.

    Those whose digest is in `keep` stay.
    """
    if _seconds_since_moved(place) < idle:
        return 0
    return _delete(folder for folder in outdated(place) if _digest(folder) not in keep)


def outdated(place: Place) -> list[Path]:
    """The revisions that the name does not lead to."""
    current = place.folder()
    return [folder for folder in place.all_immutable() if folder.resolve() != current]


def forget_empty_folders(place: Place, root: Path) -> None:
    """Leave no empty folder behind between a variant and the root."""
    for folder in place.visible.parents:
        if folder == root:
            return
        with suppress(OSError):  # it holds something, or somebody just began to write there
            folder.rmdir()


def leftovers(place: Place) -> bool:
    """Whether there is anything of a variant, be it what an interrupted removal left."""
    return place.visible.is_symlink() or any((place.all_immutable(), place.all_making(), place.writer.exists()))


def _seconds_since_moved(place: Place) -> float:
    """By the volume's clock and ours; without a pointer nobody can be reading, and it is for ever."""
    try:
        return time.time() - place.visible.lstat().st_mtime
    except FileNotFoundError:
        return float("inf")


def _digest(folder: Path) -> str | None:
    manifest = read_manifest(folder)
    return manifest.digest if manifest else None


def _delete(folders: Iterable[Path]) -> int:
    doomed = list(folders)
    freed = _freed_by(doomed)
    for folder in doomed:
        shutil.rmtree(folder)
    return freed


def _freed_by(folders: Iterable[Path]) -> int:
    """The sizes of the files that have no other name elsewhere."""
    files = [path.lstat() for folder in folders for path in folder.rglob("*") if path.is_file()]
    names = Counter((file.st_dev, file.st_ino) for file in files)
    sizes = {(file.st_dev, file.st_ino): (file.st_size, file.st_nlink) for file in files}
    return sum(size for inode, (size, links) in sizes.items() if names[inode] == links)
