"""From a finished workspace to a variant: manifest, then folder, then pointer, each in one step."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

from whisper_models.artifact import Manifest
from whisper_models.errors import Incomplete, PathTaken
from whisper_models.store.damage import damage_in
from whisper_models.store.files import sync
from whisper_models.store.layout import Place
from whisper_models.store.manifest_file import read_manifest, write_manifest


def require_free_name(place: Place) -> None:
    """Refuse to put a variant where somebody else's files lie.

    Raises:
        PathTaken: naming what is in the way.
    """
    if place.visible.exists() and not place.visible.is_symlink():
        raise PathTaken(
            f"{place.visible} was not put there by whisper-models, which would replace it: move it away, "
            "or take it over with `whisper-models download --from`"
        )


def publish(place: Place, workspace: Path, manifest: Manifest) -> None:
    """Make what lies in `workspace` the variant of that place."""
    require_free_name(place)
    _keep_only(place, workspace, {entry.path for entry in manifest.files})
    _make_durable(workspace, manifest)
    write_manifest(workspace, manifest)
    folder = _settle(place, workspace, manifest)
    _point(place, folder)
    for damaged in place.all_immutable(manifest.digest):
        if damaged != folder:
            shutil.rmtree(damaged)  # readers keep what they have open


def _keep_only(place: Place, workspace: Path, wanted: set[str]) -> None:
    for path in workspace.rglob("*"):
        if path.is_file() and path.relative_to(workspace).as_posix() not in wanted:
            path.unlink()
    required = wanted | {place.visible.name} if place.is_inside else wanted
    missing = [name for name in sorted(required) if not (workspace / name).exists()]
    if missing:
        raise Incomplete(f"{workspace} lacks {', '.join(missing)}: run the same command again")


def _make_durable(workspace: Path, manifest: Manifest) -> None:
    files = [workspace / entry.path for entry in manifest.files]
    for path in [*files, *{path.parent for path in files}]:
        sync(path)


def _settle(place: Place, workspace: Path, manifest: Manifest) -> Path:
    """Give the finished workspace its lasting name: a sound folder of that content is kept, a damaged one passed by."""
    for turn in itertools.count(1):
        folder = place.immutable(manifest.digest, turn)
        if not folder.exists():
            workspace.rename(folder)
            break
        if _holds(folder, manifest):
            shutil.rmtree(workspace)
            break
    sync(place.visible.parent)
    return folder


def _holds(folder: Path, manifest: Manifest) -> bool:
    """The same, and sound; what a validation has added to it since is no difference."""
    there = read_manifest(folder)
    same = there is not None and _as_made(there) == _as_made(manifest)
    return same and not damage_in(folder, manifest, lambda _count: None)


def _as_made(manifest: Manifest) -> Manifest:
    return manifest.model_copy(update={"validation": None, "canary": None})


def _point(place: Place, folder: Path) -> None:
    new = place.pointer
    new.unlink(missing_ok=True)
    new.symlink_to(place.target(folder))
    new.replace(place.visible)
    sync(place.visible.parent)
