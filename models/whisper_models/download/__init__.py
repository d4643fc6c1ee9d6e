"""From a name to a verified checkpoint in the store: resolve, fetch what is read, check, publish."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx2

from whisper_models.artifact import FileEntry, Manifest, Source, Variant
from whisper_models.download.hub import Checkpoint, HubSource, resolve
from whisper_models.download.retry import Patience
from whisper_models.download.selection import RemoteFile, require_shards, select
from whisper_models.download.transfer import Transfer
from whisper_models.errors import Incomplete, from_os_error
from whisper_models.progress import Progress, Stage
from whisper_models.shards import INDEX
from whisper_models.store import Inspection, UnifiedModelManager
from whisper_models.store.files import require_space

__all__ = ["HubSource", "Patience", "download"]


def download(
    store: UnifiedModelManager, model: str, source: HubSource, progress: Progress, patience: Patience | None = None
) -> Manifest:
    """The base variant of `model` from `source`: resumed if it was begun, mended if it is damaged.

    What is there is read and compared with its digests; while it is sound and its commit known, no hub is asked.

    Raises:
        ModelFailure: whichever of the tree in `errors` it is.
    """
    variant = Variant.base(model)
    try:
        look = Inspection(store, variant, progress)
        if source.pinned and (there := _already(look, source.repo, source.revision)):
            return there
        progress.begin(Stage.RESOLVING)
        patience = patience or Patience()
        checkpoint = resolve(source, patience)
        with store.writing(variant, lambda: _already(look, source.repo, checkpoint.commit) is not None) as due:
            if due:
                workspace = store.workspace(variant, checkpoint.commit)
                reuse = partial(store.reuse, variant, workspace)
                entries = _fetch_all(checkpoint, workspace, reuse, progress, patience)
                store.publish(workspace, _manifest(variant, checkpoint, entries))
    except OSError as error:
        raise from_os_error(error, store.root) from error
    if there := _already(look, source.repo, checkpoint.commit):
        return there
    raise Incomplete(f"{variant} vanished from {store.root} while it was being written: is somebody else deleting it?")


def _already(look: Inspection, repo: str, commit: str) -> Manifest | None:
    manifest = look.complete()
    same = manifest and (manifest.source.repo, manifest.source.revision) == (repo, commit)
    return manifest if same else None


def _fetch_all(
    checkpoint: Checkpoint,
    folder: Path,
    reuse: Callable[[dict[str, int]], None],
    progress: Progress,
    patience: Patience,
) -> list[FileEntry]:
    files = select(checkpoint.source.repo, checkpoint.files)
    with _client(checkpoint.source, patience) as client:
        transfer = Transfer(checkpoint, folder, client, progress, patience)
        reuse({file.path: file.size for file in files if not transfer.present(file)})
        total, there = sum(file.size for file in files), sum(transfer.present(file) for file in files)
        require_space(folder, total - there)
        progress.begin(Stage.DOWNLOADING, total, there)
        return [_fetch(transfer.fetch, file, folder, checkpoint) for file in files]


def _fetch(
    fetch: Callable[[RemoteFile], FileEntry], file: RemoteFile, folder: Path, checkpoint: Checkpoint
) -> FileEntry:
    entry = fetch(file)
    if file.path == INDEX:  # it comes before the shards, so a set that can never be whole costs nothing
        require_shards((folder / INDEX).read_bytes(), set(checkpoint.files))
    return entry


def _client(source: HubSource, patience: Patience) -> httpx2.Client:
    headers = {"Accept-Encoding": "identity", "User-Agent": "whisper-models"}
    if source.token:
        headers["Authorization"] = f"Bearer {source.token}"  # httpx2 drops it when a redirect leaves the hub
    timeout = httpx2.Timeout(patience.silence, connect=patience.connect)
    return httpx2.Client(headers=headers, timeout=timeout, follow_redirects=True)


def _manifest(variant: Variant, checkpoint: Checkpoint, entries: list[FileEntry]) -> Manifest:
    source = Source(
        repo=checkpoint.source.repo, revision=checkpoint.commit, endpoint=checkpoint.source.endpoint.rstrip("/")
    )
    return Manifest.describing(variant, entries, source=source, tools={})
