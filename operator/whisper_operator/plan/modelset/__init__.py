"""Planning a ModelSet: which claim, which Jobs, what to say.

Pure: everything that it depends on is in the ObservedModelSet.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from whisper_operator.plan.modelset.claim import Storage, claim_manifest, claim_name, storage
from whisper_operator.plan.modelset.summary import events, status
from whisper_operator.plan.modelset.variant import Around, Decision, decide
from whisper_operator.plan.modelset.wanted import Wanted, wanted_variants
from whisper_operator.plan.ownership import is_left, is_owned
from whisper_operator.plan.types import Manifest, ObjectRef, ObservedModelSet, Plan

__all__ = ["plan_modelset"]

STORAGE_POLL = timedelta(seconds=5)
"""Storage classes and other people's claims are not watched."""


def plan_modelset(observed: ObservedModelSet) -> Plan:
    """Everything to do about one set, from what was observed of it."""
    if observed.resource.metadata.deletion_timestamp:
        return Plan()
    claim = observed.claim
    claim_uid = claim["metadata"]["uid"] if claim else ""
    wanted = wanted_variants(observed.resource, claim_name(observed.resource), claim_uid)
    kept = storage(observed)
    decisions = _decide(observed, kept, wanted)
    said = status(observed, kept, decisions)
    return Plan(
        apply=tuple(_apply(observed, decisions)),
        prune=tuple(_prune(observed, wanted, decisions)),
        status=said.dump(),
        events=tuple(events(observed, kept, said)),
        look_again=_look_again(kept, decisions),
    )


def _decide(observed: ObservedModelSet, kept: Storage, wanted: Sequence[Wanted]) -> list[Decision]:
    found: list[Decision] = []
    ready: set[str] = set()
    for one in wanted:
        decision = decide(one, Around(observed, kept, base_ready=one.model in ready))
        if one.is_base and decision.ready:
            ready.add(one.model)
        found.append(decision)
    return found


def _apply(observed: ObservedModelSet, decisions: Iterable[Decision]) -> Iterator[Manifest]:
    claim = claim_manifest(observed)
    if claim is not None:
        yield claim
    yield from (decision.apply for decision in decisions if decision.apply is not None)


def _prune(observed: ObservedModelSet, wanted: Iterable[Wanted], decisions: Iterable[Decision]) -> Iterator[ObjectRef]:
    yield from (decision.prune for decision in decisions if decision.prune is not None)
    names = {one.job for one in wanted}
    for live in observed.jobs:
        meta = live["metadata"]
        mine = is_owned(live, observed.resource) or is_left(live, observed.resource)
        if meta["name"] not in names and mine and not meta.get("deletionTimestamp"):
            yield ObjectRef("batch/v1", "Job", meta["namespace"], meta["name"], meta["uid"])


def _look_again(kept: Storage, decisions: Iterable[Decision]) -> timedelta | None:
    times = [decision.look_again for decision in decisions if decision.look_again is not None]
    if not kept.bound:
        times.append(STORAGE_POLL)
    return min(times, default=None)
