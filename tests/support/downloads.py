"""A download of the one model that has real weights here, and what it asked the test hub for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from whisper_models.artifact import Manifest, Variant
from whisper_models.catalogue import lookup
from whisper_models.download import HubSource, Patience, download
from whisper_models.progress import Progress
from whisper_models.store import UnifiedModelManager

from tests.support.hub import Hub

ENTRY = lookup("tiny.en")
BASE = Variant.base("tiny.en")
WEIGHTS = "*model.safetensors"
QUICK = Patience(attempts=3, first_wait=0.01, connect=30.0, silence=30.0)

Fetch = Callable[..., Manifest]


def fetching(hub: Hub, store: UnifiedModelManager) -> Fetch:
    """Download tiny.en from `hub` into `store`; keyword arguments change the source."""

    def run(patience: Patience = QUICK, progress: Progress | None = None, **source: Any) -> Manifest:
        asked = {"repo": ENTRY.repo, "revision": ENTRY.revision, "endpoint": hub.url, **source}
        return download(store, "tiny.en", HubSource(**asked), progress or Progress(), patience)

    return run


def asked_for_weights(hub: Hub) -> list[dict[str, Any]]:
    """Each request for bytes of the weights, in order."""
    return [request for request in hub.requests if request["path"].startswith("/_stored")]


def sent(hub: Hub) -> dict[str, int]:
    """Bytes sent of each file, by its name."""
    found: dict[str, int] = {}
    for request in hub.requests:
        name = request["path"].rpartition("/")[2]
        found[name] = found.get(name, 0) + request["sent"]
    return found
