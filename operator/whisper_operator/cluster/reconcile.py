"""One turn for one custom resource: observe, plan, execute."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from pydantic import ValidationError

from whisper_operator.api.modelset import KIND as MODELSET
from whisper_operator.api.modelset import ModelSet
from whisper_operator.api.resource import read
from whisper_operator.api.whisperservice import WhisperService
from whisper_operator.cluster import gauges
from whisper_operator.cluster.cache import Cache
from whisper_operator.cluster.errors import NotLeader, Unavailable
from whisper_operator.cluster.execute import Executor, Outcome
from whisper_operator.cluster.observe import Observer
from whisper_operator.cluster.outage import Outage
from whisper_operator.metrics import RECONCILE_SECONDS, RECONCILES
from whisper_operator.plan.invalid import plan_failed, plan_invalid
from whisper_operator.plan.modelset import plan_modelset
from whisper_operator.plan.service import plan_service
from whisper_operator.plan.types import Key, Manifest, Plan

log = logging.getLogger(__name__)
S = TypeVar("S")
BLOCKED = timedelta(seconds=10)
"""How long until something that was refused is tried again without anything having changed."""
SOON = timedelta(seconds=1)


class Reconciler:
    """Called by the queue with a key; says when to look again."""

    def __init__(self, cache: Cache, observer: Observer, executor: Executor, outage: Outage) -> None:
        self._cache = cache
        self._observer = observer
        self._executor = executor
        self._outage = outage
        self._outcomes: dict[Key, Outcome] = {}

    async def __call__(self, key: Key) -> timedelta | None:
        """One turn, counted and timed."""
        if self._outage.on:
            raise Unavailable("the API server does not answer")
        started = time.monotonic()
        outcome = "error"
        try:
            again = await self._turn(key)
            outcome = "done"
        except NotLeader:
            outcome = "not-leader"
            return None
        except Unavailable:
            self._outage.suspect()
            raise
        finally:
            RECONCILES.labels(key.kind, outcome).inc()
            RECONCILE_SECONDS.labels(key.kind).observe(time.monotonic() - started)
        return again

    async def _turn(self, key: Key) -> timedelta | None:
        resource = self._cache.get(key.kind, key.namespace, key.name)
        if resource is None or resource["metadata"].get("deletionTimestamp"):
            self._outcomes.pop(key, None)
            self._executor.forget(key)
            if key.kind == MODELSET:
                gauges.forget(key)
            return None
        before = self._outcomes.get(key, Outcome())
        plan = await self._plan(key, resource, before)
        after = await self._executor.execute(plan, key, resource)
        self._outcomes[key] = after
        if key.kind == MODELSET and plan.status is not None:
            gauges.show(key, plan.status)
        return when(plan, before, after)

    async def _plan(self, key: Key, resource: Manifest, before: Outcome) -> Plan:
        refusals, taken = tuple(before.refusals.values()), tuple(before.taken)
        try:
            parsed = _read(key, resource)
        except ValidationError as error:
            return plan_invalid(resource, error, datetime.now(UTC))
        if isinstance(parsed, ModelSet):
            return planned(plan_modelset, await self._observer.model_set(key, parsed, refusals, taken), resource)
        return planned(plan_service, await self._observer.service(key, parsed, refusals, taken), resource)


def _read(key: Key, resource: Manifest) -> ModelSet | WhisperService:
    return read(ModelSet, resource) if key.kind == MODELSET else read(WhisperService, resource)


def planned(planning: Callable[[S], Plan], seen: S, resource: Manifest) -> Plan:
    """The plan; a mistake in planning must show where people look, and not in the log alone."""
    try:
        return planning(seen)
    except Exception as error:
        log.exception("planning failed", extra={"resource": resource["metadata"]["name"]})
        return plan_failed(resource, error, datetime.now(UTC))


def when(plan: Plan, before: Outcome, after: Outcome) -> timedelta | None:
    """When to look again: soon to tell that something was refused, later to try that again.

    What matters is which objects were refused: the words may be others each time, and would make each turn the next.
    """
    if after.namespace_ending:
        return None
    if after.waiting or after.objects != before.objects:
        return SOON
    if not after.clean:
        return min(BLOCKED, plan.look_again or BLOCKED)
    return plan.look_again
