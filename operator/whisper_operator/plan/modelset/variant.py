"""One variant, one turn: keep it, start a Job for it, wait for one, or take down how one ended.

A Job is counted before it is removed: the status that carries its result is written in one turn, the Job goes in the
next. A failed Job stays until the next attempt, so that its logs can be read.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from whisper_operator.api.conditions import Reason
from whisper_operator.api.modelset import Failure, VariantState, VariantStatus
from whisper_operator.plan.conditions import moment, timestamp
from whisper_operator.plan.modelset.claim import Storage
from whisper_operator.plan.modelset.job import INPUT, RECIPE, annotation, job
from whisper_operator.plan.modelset.repair import complaint
from whisper_operator.plan.modelset.result import Ended, Success, obstacle, result
from whisper_operator.plan.modelset.variant_status import (
    FIRST_RETRY,
    LONGEST,
    failed,
    fresh,
    kept,
    made,
    started,
    still,
    told,
    waiting,
)
from whisper_operator.plan.modelset.wanted import Wanted
from whisper_operator.plan.ownership import is_left, is_owned
from whisper_operator.plan.types import Manifest, ObjectRef, ObservedModelSet

POLL = timedelta(seconds=2)
SOON = timedelta(seconds=1)
FOREIGN_POLL = timedelta(seconds=10)
"""How often another set's Job is looked at: its changes wake only its owner."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about one variant."""

    status: VariantStatus
    apply: Manifest | None = None
    prune: ObjectRef | None = None
    look_again: timedelta | None = None
    final: bool = False
    """Failed for good: only a change of the spec helps."""

    @property
    def ready(self) -> bool:
        """Made and verified."""
        return self.status.state is VariantState.READY


@dataclass(frozen=True, slots=True)
class Around:
    """What a variant's turn depends on besides the variant."""

    observed: ObservedModelSet
    storage: Storage
    base_ready: bool


def decide(wanted: Wanted, around: Around) -> Decision:
    """What to do about one variant now."""
    before = _before(wanted, around.observed)
    live = next((one for one in around.observed.jobs if one["metadata"]["name"] == wanted.job), None)
    if wanted.unknown is not None:
        return _failed_for_good(wanted, before, live, around)
    if before.state is VariantState.READY:
        said = complaint(wanted, before, around.observed)
        return _keep(before, live, around) if said is None else _doubt(before, said, live, around)
    if live is None:
        return _without_job(wanted, before, around)
    return _with_job(wanted, before, live, around)


def _before(wanted: Wanted, observed: ObservedModelSet) -> VariantStatus:
    """The status of the last turn, or a fresh one where the source or the claim is another."""
    for status in observed.resource.status.variants:
        if (status.name, status.format, status.precision) == wanted.key and status.input == wanted.input:
            return status
    return fresh(wanted)


def _failed_for_good(wanted: Wanted, before: VariantStatus, live: Manifest | None, around: Around) -> Decision:
    message = wanted.unknown or ""
    known = before.last_failure
    same = known is not None and known.message == message
    failure = (
        known if same else Failure(reason=Reason.UNKNOWN_MODEL, message=message, time=timestamp(around.observed.now))
    )
    status = fresh(wanted).model_copy(
        update={
            "state": VariantState.FAILED,
            "reason": str(Reason.UNKNOWN_MODEL),
            "message": message,
            "last_failure": failure,
        }
    )
    return Decision(status, prune=None if live is None else _mine(live, around), final=True)


def _keep(before: VariantStatus, live: Manifest | None, around: Around) -> Decision:
    """Ready: the Job that made it has nothing more to say."""
    prune = None if live is None else _mine(live, around)
    return Decision(before, prune=prune)


def _doubt(before: VariantStatus, said: str, live: Manifest | None, around: Around) -> Decision:
    """Ready no more: the Job that made it is run again, reads every byte and makes anew what is damaged."""
    status = failed(before, Ended(Reason.CHECKSUM_MISMATCH, said), None, around.observed.now)
    return Decision(status, prune=None if live is None else _mine(live, around), look_again=FIRST_RETRY)


def _without_job(wanted: Wanted, before: VariantStatus, around: Around) -> Decision:
    why = _why_not_now(before, wanted, around)
    if why is not None:
        return why
    manifest = job(around.observed.resource, wanted, around.observed.defaults)
    return Decision(started(wanted, before), apply=manifest, look_again=POLL)


def _why_not_now(before: VariantStatus, wanted: Wanted, around: Around) -> Decision | None:
    """Why no Job is started now; None if one is."""
    now = around.observed.now
    if around.observed.resource.spec.suspend:
        return Decision(waiting(before, Reason.SUSPENDED, "the set is suspended"))
    if not around.storage.usable:
        return Decision(waiting(before, around.storage.reason, around.storage.message))
    if not wanted.is_base and not around.base_ready:
        return Decision(waiting(before, Reason.WAITING_FOR_BASE, f"waits for the base checkpoint of {wanted.model}"))
    if before.state is VariantState.FAILED and before.next_attempt is None:
        return Decision(before, final=True)
    if before.next_attempt is not None and moment(before.next_attempt) > now:
        return Decision(before, look_again=moment(before.next_attempt) - now)
    return None


def _with_job(wanted: Wanted, before: VariantStatus, live: Manifest, around: Around) -> Decision:
    mine = _mine(live, around)
    if live["metadata"].get("deletionTimestamp"):
        return Decision(before, look_again=SOON)
    if annotation(live, INPUT) != wanted.input:
        return _stale(wanted, before, mine)
    found = result(live, around.observed)
    if isinstance(found, Success):
        return Decision(made(wanted, found, around.observed.now), look_again=timedelta(0))
    if mine is None:
        return _elsewhere(wanted, before, live, found, around)
    return _with_own_job(wanted, before, live, found, around)


def _with_own_job(
    wanted: Wanted, before: VariantStatus, live: Manifest, found: Ended | None, around: Around
) -> Decision:
    """Held up or failed, a Job is replaced at once when the spec now describes another one."""
    changed = annotation(live, RECIPE) != _recipe(wanted, around)
    replaceable = _reference(live) if changed and not around.observed.resource.spec.suspend else None
    if found is not None:
        return _ended(wanted, before, live, found, replace_now=replaceable, around=around)
    if replaceable is not None and obstacle(live, around.observed) is not None:
        return Decision(fresh(wanted), prune=replaceable, look_again=SOON)
    return _running(wanted, before, live, around)


def _recipe(wanted: Wanted, around: Around) -> str | None:
    return annotation(job(around.observed.resource, wanted, around.observed.defaults), RECIPE)


def _stale(wanted: Wanted, before: VariantStatus, mine: ObjectRef | None) -> Decision:
    """A Job that makes something else than what is wanted now."""
    if mine is None:
        message = "another ModelSet on this claim makes the same variant from another source"
        return Decision(waiting(before, Reason.JOB_ELSEWHERE, message), look_again=FOREIGN_POLL)
    return Decision(fresh(wanted), prune=mine, look_again=SOON)


def _elsewhere(wanted: Wanted, before: VariantStatus, live: Manifest, found: Ended | None, around: Around) -> Decision:
    """Another set's Job makes what we want, too; that set starts it again when it failed."""
    if found is not None:
        update = {"state": VariantState.FAILED, "reason": found.reason, "message": found.message}
        return Decision(still(before).model_copy(update=update), look_again=FOREIGN_POLL)
    running = _running(wanted, before, live, around)
    owner = next((one["name"] for one in live["metadata"].get("ownerReferences") or ()), "")
    message = f"ModelSet {owner} is making it on the same claim"
    status = running.status.model_copy(update={"reason": str(Reason.JOB_ELSEWHERE), "message": message})
    return replace(running, status=status, look_again=FOREIGN_POLL)


def _ended(
    wanted: Wanted,
    before: VariantStatus,
    live: Manifest,
    found: Ended,
    *,
    replace_now: ObjectRef | None,
    around: Around,
) -> Decision:
    """A Job failed: take it down once, then wait; start anew when it is time or when its recipe changed."""
    uid = live["metadata"]["uid"]
    now = around.observed.now
    counted = before.last_failure is not None and before.last_failure.job_uid == uid
    status = before if counted else failed(before, found, uid, now)
    if around.observed.resource.spec.suspend:
        return Decision(status)
    if around.storage.reason is Reason.CLAIM_TERMINATING:
        return Decision(status, prune=_reference(live), look_again=SOON)
    if replace_now is not None and counted:
        return Decision(fresh(wanted), prune=replace_now, look_again=SOON)
    if status.next_attempt is None:
        return Decision(status, final=True, look_again=None if counted else timedelta(0))
    due = moment(status.next_attempt)
    if counted and due <= now:
        return Decision(status, prune=_reference(live), look_again=SOON)
    return Decision(status, look_again=max(due - now, timedelta(0)))


def _running(wanted: Wanted, before: VariantStatus, live: Manifest, around: Around) -> Decision:
    begun = started(wanted, before)
    stuck = obstacle(live, around.observed)
    if stuck is not None:
        update = {"state": VariantState.PENDING, "reason": str(stuck.reason), "message": stuck.message[:LONGEST]}
        return Decision(begun.model_copy(update=update), look_again=POLL)
    progress = around.observed.progress.get(live["metadata"]["name"])
    return Decision(begun.model_copy(update=told(wanted, progress) if progress else kept(before)), look_again=POLL)


def _mine(live: Manifest, around: Around) -> ObjectRef | None:
    """A reference for pruning, if the Job is this set's, or was left to it."""
    models = around.observed.resource
    return _reference(live) if is_owned(live, models) or is_left(live, models) else None


def _reference(live: Manifest) -> ObjectRef:
    meta = live["metadata"]
    return ObjectRef("batch/v1", "Job", meta["namespace"], meta["name"], meta["uid"])
