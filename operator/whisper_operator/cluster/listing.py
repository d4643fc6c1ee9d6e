"""Listing what is watched: before the first turn, where a watch lost its place, and every few minutes.

A listing finds what is known but no longer there.
"""

from collections.abc import Sequence

from whisper_operator.cluster.cache import Address, Cache, address
from whisper_operator.cluster.connection import Connection
from whisper_operator.cluster.kinds import CUSTOM, SELECTOR, WATCHED, Kind


def selectors(kind: Kind) -> dict[str, str]:
    """What of a kind concerns us: all that users write, and what carries our label."""
    return {} if kind in CUSTOM else {"label_selector": SELECTOR}


async def list_all(connection: Connection, cache: Cache, namespaces: Sequence[str]) -> None:
    """Bring the cache to what the API server has now; no namespaces means all of them."""
    for kind in WATCHED:
        for namespace in namespaces or (None,):
            await list_kind(connection, cache, kind, namespace)


async def list_kind(connection: Connection, cache: Cache, kind: Kind, namespace: str | None) -> str:
    """The same for one kind; the resourceVersion from which to watch."""
    listed: set[Address] = set()
    listed_at = ""
    async for page, resource_version in connection.pages(kind, namespace, **selectors(kind)):
        listed_at = listed_at or resource_version
        for manifest in page:
            listed.add(address(manifest))
            cache.put(manifest)
    for where in cache.lost(kind.kind, namespace, listed, int(listed_at)):
        cache.remove(where)
    return listed_at
