"""Carrying out a plan: only what differs from the cluster is written, and only what is ours is touched.

At rest this writes nothing. Order: objects, then Events, then the status once, then what is no longer wanted, so that
an interruption at any point is repaired by the next turn: until the status is written, the same Events are due again.
"""

import logging
from collections import defaultdict
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field

from whisper_operator.api import API_VERSION
from whisper_operator.cluster.cache import Address, Cache, address
from whisper_operator.cluster.compare import covers, stamp, stamped
from whisper_operator.cluster.connection import Connection
from whisper_operator.cluster.errors import Conflicting, Failing, NamespaceEnding, NotThere, Refused
from whisper_operator.cluster.events import Recorder
from whisper_operator.cluster.kinds import CUSTOM, Kind, kind_of
from whisper_operator.metrics import WRITES
from whisper_operator.plan.ownership import MANAGED_BY, MANAGER, is_adoptable, is_outgoing, left_by, owned_by
from whisper_operator.plan.types import Key, Manifest, ObjectRef, Plan

log = logging.getLogger(__name__)
CUSTOM_KINDS = {kind.kind: kind for kind in CUSTOM}
CREATED_ONCE = ("Job",)
"""Kinds that are never changed after they were made."""


@dataclass(slots=True)
class Outcome:
    """What did not go as planned; the next observation carries it."""

    refusals: dict[str, str] = field(default_factory=dict)
    """What the API server said, by `Kind/name` of the object."""
    taken: list[str] = field(default_factory=list)
    waiting: bool = False
    """Something of an earlier resource of the same name is still going away."""
    namespace_ending: bool = False

    @property
    def objects(self) -> set[str]:
        """Which objects are not as planned."""
        return {*self.refusals, *self.taken}

    @property
    def clean(self) -> bool:
        """Everything was done."""
        return not self.objects


def is_shared(live: Manifest) -> bool:
    """A Job of ours that was made in this moment: it does the same for whoever needs it."""
    labels = live["metadata"].get("labels") or {}
    return live["kind"] in CREATED_ONCE and labels.get(MANAGED_BY) == MANAGER


class Executor:
    """Writes plans to the cluster, through a connection that lets only the leader write."""

    def __init__(self, connection: Connection, cache: Cache, recorder: Recorder) -> None:
        self._connection = connection
        self._cache = cache
        self._recorder = recorder
        self._settled: defaultdict[Key, dict[Address, tuple[str, str]]] = defaultdict(dict)

    async def execute(self, plan: Plan, key: Key, resource: Manifest) -> Outcome:
        """Write what differs."""
        outcome = Outcome()
        for manifest in plan.apply:
            await self._noting(outcome, manifest, self._apply(manifest, key, resource, outcome))
        if plan.status is not None and not outcome.namespace_ending:
            for event in plan.events:
                await self._recorder.record(event, resource)
            await self._write_status(plan.status, resource)
        for reference in plan.hold:
            await self._own(reference, owned_by(resource), outcome)
        for reference in plan.release:
            await self._own(reference, left_by(resource), outcome)
        for reference in plan.prune:
            await self._prune(reference)
        return outcome

    def forget(self, key: Key) -> None:
        """The custom resource is gone."""
        self._settled.pop(key, None)

    async def _noting(self, outcome: Outcome, manifest: Manifest, writing: Awaitable[None]) -> None:
        try:
            await writing
        except NamespaceEnding:
            outcome.namespace_ending = True
        except (Refused, Failing) as error:
            where = f"{manifest['kind']}/{manifest['metadata']['name']}"
            outcome.refusals[where] = f"the API server refused {where}: {error}"

    async def _apply(self, manifest: Manifest, key: Key, resource: Manifest, outcome: Outcome) -> None:
        wanted = stamped(manifest)
        where = address(manifest)
        kind = kind_of(manifest["apiVersion"], manifest["kind"])
        live = self._cache.get(*where) or await self._make(kind, wanted, key)
        if live is None:
            return
        if is_outgoing(live, resource) or is_shared(live):
            outcome.waiting = True
        elif not is_adoptable(live, resource):
            outcome.taken.append(f"{where[0]}/{where[2]}")
        elif not (kind.kind in CREATED_ONCE or self._is_settled(live, wanted, self._settled[key])):
            self._applied(key, kind, wanted, await self._connection.apply(wanted, kind))

    async def _make(self, kind: Kind, wanted: Manifest, key: Key) -> Manifest | None:
        """Make an object that no watch told of; what is there all the same was just made, or has no label of ours."""
        try:
            self._applied(key, kind, wanted, await self._connection.apply_new(wanted, kind))
        except Conflicting as error:
            meta = wanted["metadata"]
            try:
                return await self._connection.get(kind, meta["namespace"], meta["name"])
            except NotThere:  # gone again, or it was something else that conflicted: the next turn will see
                raise error from None
        return None

    def _applied(self, key: Key, kind: Kind, wanted: Manifest, found: Manifest) -> None:
        self._written(kind, found)
        self._settled[key][address(wanted)] = (found["metadata"]["resourceVersion"], stamp(wanted))

    def _is_settled(self, live: Manifest, wanted: Manifest, left: Mapping[Address, tuple[str, str]]) -> bool:
        """Equal, or as our last apply left it: then applying once more would change nothing."""
        now = (live["metadata"]["resourceVersion"], stamp(wanted))
        return left.get(address(wanted)) == now or covers(live, wanted)

    def _written(self, kind: Kind, found: Manifest) -> None:
        WRITES.labels(kind.kind, "apply").inc()
        if kind.kind in CUSTOM_KINDS or (found["metadata"].get("labels") or {}).get(MANAGED_BY) == MANAGER:
            self._cache.put({"apiVersion": kind.api_version, "kind": kind.kind} | found)

    async def _write_status(self, status: Manifest, resource: Manifest) -> None:
        if status == resource.get("status"):
            return
        meta = resource["metadata"]
        body = {
            "apiVersion": API_VERSION,
            "kind": resource["kind"],
            "metadata": {"name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]},
            "status": status,
        }
        try:
            kind = CUSTOM_KINDS[resource["kind"]]
            self._written(kind, await self._connection.apply(body, kind, "status"))
        except NotThere:
            log.debug("gone before its status was written", extra={"resource": meta["name"]})

    async def _own(self, reference: ObjectRef, change: Manifest, outcome: Outcome) -> None:
        """Come or go as one of an object's owners; where it is another by now, the next turn will see."""
        kind = kind_of(reference.api_version, reference.kind)
        meta = {"name": reference.name, "namespace": reference.namespace, "uid": reference.uid}
        try:
            found = await self._connection.merge({"metadata": meta | {"ownerReferences": [change]}}, kind)
        except (NotThere, Conflicting):
            return
        except (Refused, Failing) as error:
            where = f"{reference.kind}/{reference.name}"
            outcome.refusals[where] = f"the API server refused to change who owns {where}: {error}"
            return
        WRITES.labels(kind.kind, "own").inc()
        self._cache.put({"apiVersion": kind.api_version, "kind": kind.kind} | found)

    async def _prune(self, reference: ObjectRef) -> None:
        kind = kind_of(reference.api_version, reference.kind)
        try:
            await self._connection.delete(kind, reference.namespace, reference.name, reference.uid)
        except NotThere:
            pass
        else:
            WRITES.labels(kind.kind, "delete").inc()
        if kind.kind in CREATED_ONCE:
            self._cache.remove((reference.kind, reference.namespace, reference.name), reference.uid)
