"""Listing everything that is watched: before the first turn, and every few minutes after it.

A watch that breaks can lose the end of an object; a listing finds what is known but no longer there.
"""

from collections.abc import Sequence

from whisper_operator.cluster.cache import Address, Cache, address
from whisper_operator.cluster.connection import Connection
from whisper_operator.cluster.kinds import CUSTOM, SELECTOR, WATCHED, Kind


async def list_all(connection: Connection, cache: Cache, namespaces: Sequence[str]) -> None:
    """Bring the cache to what the API server has now; no namespaces means all of them."""
    for kind in WATCHED:
        for namespace in namespaces or (None,):
            await _list_kind(connection, cache, kind, namespace)


async def _list_kind(connection: Connection, cache: Cache, kind: Kind, namespace: str | None) -> None:
    selectors = {} if kind in CUSTOM else {"label_selector": SELECTOR}
    listed: set[Address] = set()
    listed_at = 0
    async for page, resource_version in connection.pages(kind, namespace, **selectors):
        listed_at = listed_at or int(resource_version)
        for manifest in page:
            listed.add(address(manifest))
            cache.put(manifest)
    for where in cache.lost(kind.kind, namespace, listed, listed_at):
        cache.remove(where)
