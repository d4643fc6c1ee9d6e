"""Kubernetes Events about custom resources: each is said once.

One that is refused is no reason to fail. One that could not be said for the moment is: the turn is made again, and
with it the Event, because the status that it goes with is written only after it.
"""

import logging
import secrets
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from whisper_operator.cluster.connection import Connection
from whisper_operator.cluster.errors import Conflicting, NotThere, Refused
from whisper_operator.cluster.kinds import EVENT
from whisper_operator.metrics import WRITES
from whisper_operator.plan.ownership import MANAGER
from whisper_operator.plan.types import Event, Manifest

log = logging.getLogger(__name__)
QUIET = timedelta(minutes=10)
NOTE_LIMIT = 1024
REMEMBERED = 4096


class Recorder:
    """Writes Events through the events API; the same sentence about the same object is not repeated for a while."""

    def __init__(self, connection: Connection, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._connection = connection
        self._now = now
        self._said: dict[tuple[str, Event], datetime] = {}
        self._instance = socket.gethostname()[:128]

    async def record(self, event: Event, resource: Manifest) -> None:
        """Say it, unless it was said a moment ago."""
        said = (resource["metadata"]["uid"], event)
        now = self._now()
        if said in self._said and now - self._said[said] < QUIET:
            return
        try:
            await self._connection.create(self._manifest(event, resource, now), EVENT)
        except (Refused, NotThere, Conflicting) as error:
            log.warning("an Event could not be written", extra={"reason": event.reason, "error": str(error)})
            return
        WRITES.labels("Event", "create").inc()
        self._said.pop(said, None)
        self._said[said] = now
        if len(self._said) > REMEMBERED:
            del self._said[next(iter(self._said))]

    def _manifest(self, event: Event, resource: Manifest, now: datetime) -> Manifest:
        meta = resource["metadata"]
        return {
            "apiVersion": EVENT.api_version,
            "kind": EVENT.kind,
            "metadata": {"name": f"{meta['name']}.{secrets.token_hex(8)}", "namespace": meta["namespace"]},
            "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": f"whisper.livetranslate.io/{MANAGER}",
            "reportingInstance": self._instance,
            "action": "Reconcile",
            "type": event.type,
            "reason": event.reason,
            "note": event.message[:NOTE_LIMIT],
            "regarding": {
                "apiVersion": resource["apiVersion"],
                "kind": resource["kind"],
                "name": meta["name"],
                "namespace": meta["namespace"],
                "uid": meta["uid"],
                "resourceVersion": meta["resourceVersion"],
            },
        }
