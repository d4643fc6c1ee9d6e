"""What a set says about itself as a whole: its conditions, its columns, and the Events that a change is worth."""

from collections.abc import Iterable, Iterator, Sequence

from whisper_operator.api.conditions import ConditionType, Reason
from whisper_operator.api.modelset import ModelSetStatus, VariantState, VariantStatus
from whisper_operator.api.units import human_bytes
from whisper_operator.plan.conditions import Stated, settle
from whisper_operator.plan.modelset.attempt import Decision
from whisper_operator.plan.modelset.claim import Storage, storage_status
from whisper_operator.plan.modelset.verification import verified
from whisper_operator.plan.types import Event, ObservedModelSet

QUIET = frozenset(
    {
        Reason.SUSPENDED,
        Reason.WAITING_FOR_BASE,
        Reason.WAITING_FOR_TURN,
        Reason.JOB_ELSEWHERE,
        Reason.REMOVING,
        Reason.STILL_IN_USE,
    }
)
"""Reasons for waiting that are nobody's fault."""
COLUMN = 64
MINUTE, HOUR = 60, 3600
NAMES = 512


def status(
    observed: ObservedModelSet, storage: Storage, decisions: Sequence[Decision], leaving: Sequence[Decision]
) -> ModelSetStatus:
    """The whole status."""
    meta = observed.resource.metadata
    variants = tuple(decision.status for decision in decisions)
    stated = conditions(observed, storage, decisions)
    ready = [one for one in variants if one.state is VariantState.READY]
    return ModelSetStatus(
        observed_generation=meta.generation,
        conditions=settle(observed.resource.status.conditions, stated, generation=meta.generation, now=observed.now),
        ready=f"{len(ready)}/{len(variants)}",
        progress=progress(variants)[:COLUMN],
        models=", ".join(spec.name for spec in observed.resource.spec.models)[:NAMES],
        size=human_bytes(sum(one.size_bytes or 0 for one in ready)) if ready else None,
        storage=storage_status(observed, storage),
        variants=variants,
        leaving=tuple(decision.status for decision in leaving),
        used_by=observed.services[:256],
    )


def conditions(observed: ObservedModelSet, storage: Storage, decisions: Sequence[Decision]) -> Iterator[Stated]:
    """Every condition that has something to say, Ready first."""
    blocked = blockage(observed, storage, decisions)
    all_ready = all(decision.ready for decision in decisions)
    if blocked is None and all_ready:
        yield Stated(
            ConditionType.READY, True, Reason.READY, f"{len(decisions)} of {len(decisions)} variants are ready"
        )
    elif blocked is None:
        yield Stated(ConditionType.READY, False, *_under_way(observed, decisions))
    else:
        yield Stated(ConditionType.READY, False, blocked.reason, blocked.message)
    stalled = blocked is not None and blocked.holds is True
    if stalled and blocked is not None:
        yield Stated(ConditionType.STALLED, True, blocked.reason, blocked.message)
    if not stalled and not all_ready and not observed.resource.spec.suspend:
        reason = blocked.reason if blocked else Reason.PROGRESSING
        yield Stated(ConditionType.RECONCILING, True, reason, blocked.message if blocked else "")
    yield storage.stated
    yield verified(observed.resource, [decision.status for decision in decisions])


def _under_way(observed: ObservedModelSet, decisions: Sequence[Decision]) -> tuple[Reason, str]:
    ready = sum(decision.ready for decision in decisions)
    if observed.resource.spec.suspend:
        return Reason.SUSPENDED, f"suspended with {ready} of {len(decisions)} variants ready"
    return Reason.PROGRESSING, f"{ready} of {len(decisions)} variants are ready"


def blockage(observed: ObservedModelSet, storage: Storage, decisions: Sequence[Decision]) -> Stated | None:
    """The worst thing that is wrong; it holds when only a person can mend it."""
    return next(_blockages(observed, storage, decisions), None)


def _blockages(observed: ObservedModelSet, storage: Storage, decisions: Sequence[Decision]) -> Iterator[Stated]:
    ready = ConditionType.READY
    if observed.taken:
        says = f"{', '.join(observed.taken)} exists and belongs to someone else: rename this set or remove that object"
        yield Stated(ready, True, Reason.NAME_TAKEN, says)
    if storage.stalled:
        yield Stated(ready, True, storage.reason, storage.message)
    for decision in decisions:
        if decision.final:
            yield Stated(ready, True, decision.status.reason or "", _told(decision.status))
    for refusal in observed.refusals:
        yield Stated(ready, False, Reason.REFUSED, refusal)
    if not storage.usable and storage.reason is not Reason.CLAIM_PENDING:
        yield Stated(ready, False, storage.reason, storage.message)
    for decision in decisions:
        if found := _setback(decision.status):
            yield Stated(ready, False, *found)


def _setback(variant: VariantStatus) -> tuple[str, str] | None:
    """Why a variant does not get on, also while it is tried again."""
    if variant.state is VariantState.READY:
        return None
    if variant.reason and variant.reason not in QUIET and variant.reason != Reason.CLAIM_PENDING:
        return variant.reason, _told(variant)
    if variant.last_failure:
        said = f"{_title(variant)}: {variant.last_failure.message}"
        return variant.last_failure.reason, f"{said} (attempt {(variant.attempts or 0) + 1})"
    return None


def progress(variants: Iterable[VariantStatus]) -> str:
    """The column that is watched while one waits: `1/2 tiny.en Downloading 43% 12 MiB/s`."""
    listed = list(variants)
    ready = sum(one.state is VariantState.READY for one in listed)
    words = [f"{ready}/{len(listed)}"]
    working = [one for one in listed if one.stage] or [one for one in listed if one.state is VariantState.FAILED]
    if ready < len(listed) and working:
        one = working[0]
        words += [_title(one), one.stage or one.state]
        if one.bytes_total and one.bytes_done is not None:
            words.append(f"{min(100, 100 * one.bytes_done // one.bytes_total)}%")
        if one.bytes_per_second:
            words.append(f"{human_bytes(one.bytes_per_second)}/s")
        if one.eta_seconds:
            words.append(f"{_span(one.eta_seconds)} left")
    return " ".join(words)


def _span(seconds: int) -> str:
    """`40s`, `12m` or `3h`."""
    if seconds < MINUTE:
        return f"{seconds}s"
    return f"{seconds // MINUTE}m" if seconds < HOUR else f"{seconds // HOUR}h"


def events(observed: ObservedModelSet, storage: Storage, now: ModelSetStatus) -> Iterator[Event]:
    """One Event for each thing that is new since the last status."""
    before = observed.resource.status
    known = {(one.name, one.format, one.precision): one for one in before.variants}
    if _reason(before, ConditionType.STORAGE_READY) != storage.reason and storage.reason is not Reason.CLAIM_PENDING:
        bad = storage.stalled or not storage.usable
        yield Event("Warning" if bad else "Normal", str(storage.reason), storage.message)
    known |= {(one.name, one.format, one.precision): one for one in before.leaving}
    for one in (*now.variants, *now.leaving):
        yield from _variant_events(known.pop((one.name, one.format, one.precision), None), one, storage)
    yield from (Event("Normal", "VariantRemoved", f"{_title(one)} is gone") for one in known.values() if one.digest)
    if observed.taken or observed.refusals:
        ready = now.conditions[0]
        if _reason(before, ConditionType.READY) != ready.reason:
            yield Event("Warning", ready.reason, ready.message)
    if _reason(now, ConditionType.READY) == Reason.READY != _reason(before, ConditionType.READY):
        yield Event("Normal", str(Reason.READY), now.conditions[0].message)


def _variant_events(before: VariantStatus | None, now: VariantStatus, storage: Storage) -> Iterator[Event]:
    was_ready = before is not None and before.state is VariantState.READY
    if now.state is VariantState.READY and not was_ready:
        size = f" ({human_bytes(now.size_bytes)})" if now.size_bytes else ""
        yield Event("Normal", "VariantReady", f"{_title(now)} is ready{size}{_origin(now)}")
        return
    old, new = (before.last_failure if before else None), now.last_failure
    if new is not None:
        if old is None or old.reason != new.reason:
            yield Event("Warning", new.reason, f"{_title(now)}: {new.message}")
    elif _is_new_obstacle(before, now) and now.reason != storage.reason:
        yield Event("Warning", str(now.reason), f"{_title(now)}: {now.message}")


def _origin(variant: VariantStatus) -> str:
    """Who made it, where that might have been another."""
    if variant.taken_from:
        return f", as {variant.taken_from} {'has' if variant.taken_from.startswith('claim ') else 'publishes'} it"
    said = variant.converted_because
    return f", converted here and not taken ready-made: {said}" if said else ""


def _is_new_obstacle(before: VariantStatus | None, now: VariantStatus) -> bool:
    """Something is in the way that is worth telling."""
    told = now.reason is not None and now.reason not in QUIET
    return told and (before is None or before.reason != now.reason)


def _reason(status: ModelSetStatus, condition: ConditionType) -> str | None:
    return next((one.reason for one in status.conditions if one.type == condition), None)


def _title(variant: VariantStatus) -> str:
    return variant.name if variant.format == "pytorch" else f"{variant.name} {variant.format} {variant.precision}"


def _told(variant: VariantStatus) -> str:
    return f"{_title(variant)}: {variant.message}"
