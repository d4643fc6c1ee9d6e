"""Planning a ModelSet: which claim, which Jobs, what to say.

Pure: everything that it depends on is in the ObservedModelSet.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from whisper_operator.api.modelset import VariantStatus
from whisper_operator.plan.modelset.around import Around
from whisper_operator.plan.modelset.attempt import Decision
from whisper_operator.plan.modelset.claim import Storage, claim_manifest, claim_name, storage
from whisper_operator.plan.modelset.keepers import keeps, may_end, reference
from whisper_operator.plan.modelset.removal import departures
from whisper_operator.plan.modelset.sharing import may_hang
from whisper_operator.plan.modelset.siblings import siblings
from whisper_operator.plan.modelset.summary import events, status
from whisper_operator.plan.modelset.variant import decide
from whisper_operator.plan.modelset.wanted import Wanted, wanted_variants
from whisper_operator.plan.types import Manifest, ObservedModelSet, Plan

__all__ = ["plan_modelset"]

STORAGE_POLL = timedelta(seconds=5)
"""Storage classes, other people's claims and Events are not watched."""


def plan_modelset(observed: ObservedModelSet) -> Plan:
    """Everything to do about one set, from what was observed of it."""
    if observed.resource.metadata.deletion_timestamp:
        return Plan()
    name = claim_name(observed.resource)
    claim_uid = observed.claim["metadata"]["uid"] if observed.claim else ""
    wanted = wanted_variants(observed.resource, name, claim_uid)
    kept = storage(observed)
    around = Around(observed, kept, siblings(observed, name, claim_uid))
    staying = _decide(around, wanted)
    leaving = departures(wanted, replace(around, begun=_begun(staying)))
    said = status(observed, kept, staying, leaving)
    decisions = [*staying, *leaving]
    superfluous = list(_superfluous(observed, decisions))
    return Plan(
        apply=tuple(_apply(observed, decisions)),
        prune=(
            *(one.prune for one in decisions if one.prune is not None),
            *(reference(one) for one in superfluous if may_end(one, observed.resource)),
        ),
        hold=tuple(one.hold for one in decisions if one.hold is not None),
        release=tuple(reference(one) for one in superfluous if not may_end(one, observed.resource)),
        status=said.dump(),
        events=tuple(events(observed, kept, said)),
        look_again=_look_again(observed, kept, decisions),
    )


def _decide(around: Around, wanted: Sequence[Wanted]) -> list[Decision]:
    """In the order of `wanted`, in which bases come first."""
    found: list[Decision] = []
    bases: dict[str, VariantStatus] = {}
    for one in wanted:
        base = None if one.is_downloaded else bases.get(one.model)
        decision = decide(one, base, replace(around, begun=_begun(found)))
        if one.is_base:
            bases[one.model] = decision.status
        found.append(decision)
    return found


def _begun(decisions: Iterable[Decision]) -> int:
    return sum(decision.apply is not None for decision in decisions)


def _apply(observed: ObservedModelSet, decisions: Iterable[Decision]) -> Iterator[Manifest]:
    claim = claim_manifest(observed)
    if claim is not None:
        yield claim
    yield from (decision.apply for decision in decisions if decision.apply is not None)


def _superfluous(observed: ObservedModelSet, decisions: Iterable[Decision]) -> Iterator[Manifest]:
    """Jobs of this set that have done their task, or that nothing of the spec asks for any more."""
    names = {decision.job for decision in decisions}
    for live in observed.jobs:
        ours = keeps(live, observed.resource) or may_end(live, observed.resource)
        if ours and live["metadata"]["name"] not in names and not live["metadata"].get("deletionTimestamp"):
            yield live


def _look_again(observed: ObservedModelSet, kept: Storage, decisions: Iterable[Decision]) -> timedelta | None:
    times = [decision.look_again for decision in decisions if decision.look_again is not None]
    if not kept.bound or may_hang(observed):
        times.append(STORAGE_POLL)
    return min(times, default=None)
