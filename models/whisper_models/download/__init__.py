"""From a name to verified files in the store: ask the source, take what is read, check, publish."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from whisper_models.artifact import Format, Manifest, Precision, Source, Variant
from whisper_models.catalogue import CATALOGUE, lookup_auxiliary
from whisper_models.download import premade
from whisper_models.download.address import AddressSource
from whisper_models.download.folder import FolderSource
from whisper_models.download.hub import HubSource
from whisper_models.download.offers import Choose, Errand, ModelSource
from whisper_models.download.retry import Patience
from whisper_models.download.selection import select
from whisper_models.errors import Incomplete, from_os_error
from whisper_models.progress import Progress, Stage
from whisper_models.store import Inspection, UnifiedModelManager

__all__ = [
    "AddressSource",
    "FolderSource",
    "HubSource",
    "ModelSource",
    "Patience",
    "download",
    "download_auxiliary",
    "download_premade",
    "published_source",
]


@dataclass(frozen=True, slots=True)
class _Order:
    """What is wanted, which files of a source that is, and whether they are it."""

    variant: Variant
    choose: Choose
    check: Callable[[Path], None] = lambda _folder: None


def download(
    store: UnifiedModelManager, model: str, source: ModelSource, progress: Progress, patience: Patience | None = None
) -> Manifest:
    """The base variant of `model` from `source`: resumed if it was begun, mended if it is damaged.

    What is there is read and compared with its digests; while it is sound and its commit known, no hub is asked.

    Raises:
        ModelFailure: whichever of the tree in `errors` it is.
    """
    return _take(store, _Order(Variant.base(model), select), source, progress, patience or Patience())


def download_premade(
    store: UnifiedModelManager,
    variant: Variant,
    source: ModelSource,
    progress: Progress,
    patience: Patience | None = None,
) -> Manifest:
    """A variant as the source has it ready-made, instead of converting; its manifest says so.

    Raises:
        ModelFailure: NotFound where the source does not have it, UnsupportedCheckpoint where that is another variant;
            else whichever of the tree in `errors` it is.
    """
    order = _Order(variant, premade.choosing(variant), partial(premade.check, variant=variant))
    return _take(store, order, source, progress, patience or Patience())


def download_auxiliary(
    store: UnifiedModelManager, name: str, source: ModelSource, progress: Progress, patience: Patience | None = None
) -> Manifest:
    """One of the models around transcription that the catalogue knows.

    Raises:
        ModelFailure: whichever of the tree in `errors` it is.
    """
    entry = lookup_auxiliary(name)
    order = _Order(
        Variant(entry.name, Format.AUXILIARY, Precision.STORED),
        lambda repo, files: premade.chosen(files, entry.files, repo),
    )
    return _take(store, order, source, progress, patience or Patience())


def published_source(
    variant: Variant, endpoint: str | None = None, token: str | None = None, authorities: Path | None = None
) -> HubSource | None:
    """Where the catalogue knows a variant to be published ready-made, if it does."""
    entry = CATALOGUE.get(variant.model)
    published = entry.published(variant.format, variant.precision) if entry else None
    return HubSource.catalogued(published, endpoint, token, authorities) if published else None


def _take(
    store: UnifiedModelManager, order: _Order, source: ModelSource, progress: Progress, patience: Patience
) -> Manifest:
    variant = order.variant
    try:
        look = Inspection(store, variant, progress)
        if source.known and (there := _already(look, source.known)):
            return there
        progress.begin(Stage.RESOLVING)
        offer = source.offer(variant, patience)
        published = offer.published
        with store.writing(variant, lambda: _already(look, published) is not None) as due:
            if due:
                workspace = store.workspace(variant, published.revision)
                reuse = partial(store.reuse, variant, workspace)
                manifest = offer.fill(Errand(variant, workspace, order.choose, reuse, progress, patience))
                order.check(workspace)
                store.publish(workspace, manifest)
    except OSError as error:
        raise from_os_error(error, store.root) from error
    if there := _already(look, published):
        return there
    raise Incomplete(f"{variant} vanished from {store.root} while it was being written: is somebody else deleting it?")


def _already(look: Inspection, published: Source) -> Manifest | None:
    manifest = look.complete()
    same = manifest and (manifest.source.repo, manifest.source.revision) == (published.repo, published.revision)
    return manifest if same else None
