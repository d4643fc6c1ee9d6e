"""Watching: for each kind one list, and from there one stream of what happens, as client-go's reflector does it.

A stream that ends is taken up where it ended; where the API server no longer knows that place, everything is listed
again, which also finds what was deleted meanwhile. However a stream or a list ends, early ends wait longer each time.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from contextlib import aclosing

from whisper_operator.cluster.cache import Cache
from whisper_operator.cluster.connection import Connection
from whisper_operator.cluster.errors import ApiError, Unavailable, from_status
from whisper_operator.cluster.kinds import WATCHED, Kind
from whisper_operator.cluster.listing import list_kind, selectors
from whisper_operator.cluster.queue import Backoff
from whisper_operator.metrics import WATCH_RESTARTS
from whisper_operator.plan.types import Manifest

log = logging.getLogger(__name__)
Seen = Callable[[str, Manifest], None]
STEADY = 30.0
"""Seconds: what worked for that long did not fail, however it ended."""
PATIENCE = Backoff(first=0.5, most=10)
"""The limit is how late a recovered API server may be noticed; it makes one request a second of all kinds together."""


class Watch:
    """One kind, in one namespace or in all of them."""

    def __init__(self, connection: Connection, cache: Cache, seen: Seen, kind: Kind, namespace: str | None) -> None:
        self._connection = connection
        self._cache = cache
        self._seen = seen
        self._kind = kind
        self._namespace = namespace
        self._version = ""
        self.listed = asyncio.Event()

    async def run(self) -> None:
        """Watch until cancelled."""
        clock = asyncio.get_running_loop().time
        failures = 0
        while True:
            began = clock()
            try:
                await self._follow()
            except ApiError as error:
                self._failed(error, failures)
            failures = 0 if clock() - began > STEADY else failures + 1
            if failures:  # not all kinds at the same time: they failed at the same time
                await asyncio.sleep(PATIENCE.after(failures) * random.uniform(0.75, 1))  # noqa: S311  # nothing secret

    async def _follow(self) -> None:
        if not self._version:
            self._version = await list_kind(self._connection, self._cache, self._kind, self._namespace)
            self.listed.set()
        stream = self._connection.watch(self._kind, self._namespace, self._version, **selectors(self._kind))
        async with aclosing(stream) as events:
            async for event in events:
                self._take(event["type"], event["object"])

    def _take(self, event_type: str, manifest: Manifest) -> None:
        if event_type == "ERROR":
            self._version = ""
            raise from_status(int(manifest.get("code") or 500), manifest, f"watch {self._kind.plural}")
        self._version = manifest["metadata"]["resourceVersion"]
        if event_type != "BOOKMARK":
            self._seen(event_type, manifest)

    def _failed(self, error: ApiError, failures: int) -> None:
        """Said once, until it works again: there are many kinds, and much patience."""
        WATCH_RESTARTS.inc()
        level = logging.DEBUG if failures else logging.WARNING
        log.log(level, "watching failed; trying again", extra={"kind": self._kind.kind, "error": str(error)})
        if not isinstance(error, Unavailable):
            self._version = ""  # the answer was no: that place in the stream is of no use any more


class Watches:
    """All kinds, in the namespaces to serve; none means all of them."""

    def __init__(self, connection: Connection, cache: Cache, seen: Seen, namespaces: Sequence[str]) -> None:
        self._watches = [
            Watch(connection, cache, seen, kind, namespace) for kind in WATCHED for namespace in namespaces or (None,)
        ]

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            for watch in self._watches:
                group.create_task(watch.run())

    async def listed(self) -> None:
        """Return when everything was listed once."""
        for watch in self._watches:
            await watch.listed.wait()
