"""Gathering everything that planning may depend on, before it decides anything."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError

from whisper_operator.api import modelset, whisperservice
from whisper_operator.api.modelset import ModelSet
from whisper_operator.api.resource import read
from whisper_operator.api.whisperservice import WhisperService
from whisper_operator.cluster.cache import Cache, owner_key
from whisper_operator.cluster.connection import Connection
from whisper_operator.cluster.errors import NotThere, Refused
from whisper_operator.cluster.intake import set_of
from whisper_operator.cluster.kinds import CLAIM, JOB, POD, STORAGE_CLASS, Kind
from whisper_operator.cluster.pod_http import PodHttp
from whisper_operator.cluster.routers import Routers
from whisper_operator.plan.invalid import first_error
from whisper_operator.plan.modelset.claim import claim_asked_for, claim_name
from whisper_operator.plan.modelset.job import claim_of, is_active
from whisper_operator.plan.modelset.repair import claim_served
from whisper_operator.plan.modelset.sharing import is_for_one_node, placed
from whisper_operator.plan.ownership import is_owned
from whisper_operator.plan.pods import running_at
from whisper_operator.plan.types import (
    Defaults,
    Key,
    Manifest,
    ObservedModelSet,
    ObservedService,
    Progress,
)

CORE_EVENT = Kind("v1", "Event", "events")
"""Events as the rest of the cluster writes them; both APIs show the same objects."""
PATIENCE = timedelta(seconds=5)
"""A Job without a pod, or a pod that does not start, is asked for its Events after this."""


class Observer:
    """Looks at one custom resource and everything around it."""

    def __init__(
        self,
        connection: Connection,
        cache: Cache,
        pod_http: PodHttp,
        routers: Routers,
        defaults: Defaults,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._connection = connection
        self._cache = cache
        self._pod_http = pod_http
        self._routers = routers
        self._defaults = defaults
        self._now = now

    async def service(
        self, key: Key, resource: WhisperService, refusals: tuple[str, ...], taken: tuple[str, ...]
    ) -> ObservedService:
        """Everything around a WhisperService."""
        known = list(self._cache.owned(key))
        pods = tuple(one for one in known if one["kind"] == POD.kind)
        models, unreadable = self._models(key.namespace, resource.spec.model_set_ref.name)
        return ObservedService(
            resource=resource,
            owned=tuple(one for one in known if one["kind"] != POD.kind and is_owned(one, resource)),
            pods=pods,
            modelset=models,
            modelset_error=unreadable,
            now=self._now(),
            defaults=self._defaults,
            router=await self._routers.health(key),
            refusals=refusals,
            taken=taken,
        )

    async def model_set(
        self, key: Key, resource: ModelSet, refusals: tuple[str, ...], taken: tuple[str, ...]
    ) -> ObservedModelSet:
        """Everything around a ModelSet."""
        name = claim_name(resource)
        claim = await self._claim(key.namespace, name)
        pending = claim is not None and (claim.get("status") or {}).get("phase") == "Pending"
        jobs = tuple(
            one
            for one in self._cache.of_kind(JOB.kind, key.namespace)
            if claim_of(one) == name or owner_key(one) == key
        )
        names = {one["metadata"]["name"] for one in jobs}
        everyone = list(self._cache.of_kind(POD.kind, key.namespace))
        pods = tuple(one for one in everyone if job_of(one) in names)
        readers = tuple(one for one in everyone if claim_served(one) == name)
        others = self._others(key, name)
        users = self._users(key.namespace, {key.name, *(one.metadata.name for one in others)})
        now = self._now()
        return ObservedModelSet(
            resource=resource,
            claim=claim,
            claim_events=await self._warnings(claim) if claim and pending else (),
            storage_classes=await self._storage_classes() if pending else None,
            jobs=jobs,
            pods=pods,
            job_events=await self._warnings_of_stuck(jobs, (*pods, *kept_waiting(claim, pods, readers)), now),
            progress=await self._progress(pods),
            readers=readers,
            services=tuple(
                sorted(
                    one["metadata"]["name"]
                    for one in self._cache.of_kind(whisperservice.KIND, key.namespace)
                    if set_of(one) == key.name
                )
            ),
            users=users,
            others=others,
            now=now,
            defaults=self._defaults,
            refusals=refusals,
            taken=taken,
        )

    def _others(self, key: Key, claim: str) -> tuple[ModelSet, ...]:
        """Other sets on the same claim, as far as they can be read."""
        found = []
        for stored in self._cache.of_kind(modelset.KIND, key.namespace):
            meta = stored["metadata"]
            if meta["name"] == key.name or meta.get("deletionTimestamp") or claim_asked_for(stored) != claim:
                continue
            with suppress(ValidationError):
                found.append(read(ModelSet, stored))
        return tuple(sorted(found, key=lambda one: one.metadata.name))

    def _users(self, namespace: str, sets: set[str]) -> tuple[WhisperService, ...]:
        """Services that refer to one of these sets, as far as they can be read."""
        found = []
        for stored in self._cache.of_kind(whisperservice.KIND, namespace):
            if set_of(stored) in sets and not stored["metadata"].get("deletionTimestamp"):
                with suppress(ValidationError):
                    found.append(read(WhisperService, stored))
        return tuple(sorted(found, key=lambda one: one.metadata.name))

    def _models(self, namespace: str, name: str) -> tuple[ModelSet | None, str | None]:
        """The set, or what is wrong with it."""
        stored = self._cache.get(modelset.KIND, namespace, name)
        try:
            return (None if stored is None else read(ModelSet, stored)), None
        except ValidationError as error:
            return None, first_error(error)

    async def _claim(self, namespace: str, name: str) -> Manifest | None:
        known = self._cache.get(CLAIM.kind, namespace, name)
        if known is not None:
            return known
        try:
            return await self._connection.get(CLAIM, namespace, name)
        except NotThere:
            return None

    async def _storage_classes(self) -> dict[str, Manifest] | None:
        try:
            return {
                one["metadata"]["name"]: one
                async for page, _ in self._connection.pages(STORAGE_CLASS, None)
                for one in page
            }
        except Refused:
            return None

    async def _warnings(self, about: Manifest) -> tuple[Manifest, ...]:
        meta = about["metadata"]
        selector = f"involvedObject.uid={meta['uid']},type=Warning"
        try:
            found = [
                one
                async for page, _ in self._connection.pages(CORE_EVENT, meta["namespace"], field_selector=selector)
                for one in page
            ]
        except Refused:
            return ()
        return tuple(sorted(found, key=last_seen))

    async def _warnings_of_stuck(
        self, jobs: tuple[Manifest, ...], pods: tuple[Manifest, ...], now: datetime
    ) -> tuple[Manifest, ...]:
        with_pod = {job_of(one) for one in pods}
        podless = [one for one in jobs if is_active(one) and one["metadata"]["name"] not in with_pod]
        waiting = [one for one in pods if (one.get("status") or {}).get("phase") == "Pending"]
        stuck = [one for one in (*podless, *waiting) if now - created(one) > PATIENCE]
        return tuple([warning for one in stuck for warning in await self._warnings(one)])

    async def _progress(self, pods: tuple[Manifest, ...]) -> dict[str, Progress]:
        addresses = {job_of(one): ip for one in pods if (ip := running_at(one))}
        return await self._pod_http.progress({job: ip for job, ip in addresses.items() if job})


def kept_waiting(
    claim: Manifest | None, pods: tuple[Manifest, ...], readers: tuple[Manifest, ...]
) -> tuple[Manifest, ...]:
    """Runtimes' pods that may wait for a volume which another node has: their Events are asked for."""
    if claim is None or not is_for_one_node(claim) or len(placed((*pods, *readers))) < 2:  # noqa: PLR2004  # several
        return ()
    return readers


def job_of(pod: Manifest) -> str | None:
    """The Job that made a pod."""
    name = (pod["metadata"].get("labels") or {}).get("batch.kubernetes.io/job-name")
    return None if name is None else str(name)


def created(manifest: Manifest) -> datetime:
    """When an object was made."""
    return datetime.fromisoformat(manifest["metadata"]["creationTimestamp"])


def last_seen(event: Manifest) -> str:
    """When an Event happened last, as text that sorts."""
    series = event.get("series") or {}
    return str(series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime") or "")
