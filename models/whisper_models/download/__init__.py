"""From a name to verified files in the store: ask the source, take what is read, check, publish."""

from __future__ import annotations

from functools import partial

from whisper_models.artifact import Manifest, Source, Variant
from whisper_models.download.hub import HubSource
from whisper_models.download.offers import Choose, Errand, ModelSource
from whisper_models.download.retry import Patience
from whisper_models.download.selection import select
from whisper_models.errors import Incomplete, from_os_error
from whisper_models.progress import Progress, Stage
from whisper_models.store import Inspection, UnifiedModelManager

__all__ = ["HubSource", "ModelSource", "Patience", "download"]


def download(
    store: UnifiedModelManager, model: str, source: ModelSource, progress: Progress, patience: Patience | None = None
) -> Manifest:
    """The base variant of `model` from `source`: resumed if it was begun, mended if it is damaged.

    What is there is read and compared with its digests; while it is sound and its commit known, no hub is asked.

    Raises:
        ModelFailure: whichever of the tree in `errors` it is.
    """
    return _take(store, Variant.base(model), source, select, progress, patience or Patience())


def _take(
    store: UnifiedModelManager,
    variant: Variant,
    source: ModelSource,
    choose: Choose,
    progress: Progress,
    patience: Patience,
) -> Manifest:
    try:
        look = Inspection(store, variant, progress)
        if source.known and (there := _already(look, source.known)):
            return there
        progress.begin(Stage.RESOLVING)
        offer = source.offer(variant, patience)
        with store.writing(variant, lambda: _already(look, offer.published) is not None) as due:
            if due:
                workspace = store.workspace(variant, offer.published.revision)
                reuse = partial(store.reuse, variant, workspace)
                manifest = offer.fill(Errand(variant, workspace, choose, reuse, progress, patience))
                store.publish(workspace, manifest)
    except OSError as error:
        raise from_os_error(error, store.root) from error
    if there := _already(look, offer.published):
        return there
    raise Incomplete(f"{variant} vanished from {store.root} while it was being written: is somebody else deleting it?")


def _already(look: Inspection, published: Source) -> Manifest | None:
    manifest = look.complete()
    same = manifest and (manifest.source.repo, manifest.source.revision) == (published.repo, published.revision)
    return manifest if same else None
