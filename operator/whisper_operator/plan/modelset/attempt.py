"""One task, one turn: start a Job for it, wait for one, or take down how one ended.

A Job is counted before it is removed: the status that carries its result is written in one turn, the Job goes in the
next. A failed Job stays until the next attempt, so that its logs can be read.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from whisper_operator.api.conditions import Reason
from whisper_operator.api.modelset import VariantState, VariantStatus
from whisper_operator.plan.conditions import moment
from whisper_operator.plan.modelset.around import Around
from whisper_operator.plan.modelset.job import INPUT, MADE_FROM, RECIPE, annotation, job
from whisper_operator.plan.modelset.keepers import keepers, reference
from whisper_operator.plan.modelset.result import Ended, Success, obstacle, result
from whisper_operator.plan.modelset.task import Task, Work, job_name
from whisper_operator.plan.modelset.variant_status import (
    LONGEST,
    failed,
    fresh,
    kept,
    started,
    still,
    told,
    waiting,
)
from whisper_operator.plan.types import Manifest, ObjectRef

POLL = timedelta(seconds=2)
SOON = timedelta(seconds=1)
FOREIGN_POLL = timedelta(seconds=10)
"""How often another set's Job is looked at that this one does not hold: its changes wake only its holders."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about one variant, and what to say of it.

    Attributes:
        job: the Job that this variant is concerned with now; others of it are superfluous.
        success: what the Job said when it had done its task; the status does not tell it yet.
        hold: a Job that others made and that this set wants, too.
        final: failed for good: only a change of the spec helps.
    """

    status: VariantStatus
    job: str | None = None
    success: Success | None = None
    made_from: str | None = None
    apply: Manifest | None = None
    prune: ObjectRef | None = None
    hold: ObjectRef | None = None
    look_again: timedelta | None = None
    final: bool = False

    @property
    def ready(self) -> bool:
        """Made, and good enough to be served."""
        return self.status.state is VariantState.READY


def attempt(
    work: Work, before: VariantStatus, around: Around, *, blocked: tuple[Reason, str] | None = None
) -> Decision:
    """Where one task is, and what to do about it now.

    Args:
        work: the task.
        before: the status of the last turn.
        around: all else.
        blocked: why no Job may be started for it.
    """
    live = around.jobs.get(work.job)
    if live is not None:
        return _with_job(work, before, live, around)
    why = _why_not_now(work, before, around, blocked)
    if why is not None:
        return why
    manifest = job(around.models, work, around.observed.defaults)
    return Decision(started(work, before), job=work.job, apply=manifest, look_again=POLL)


def _why_not_now(
    work: Work, before: VariantStatus, around: Around, blocked: tuple[Reason, str] | None
) -> Decision | None:
    """Why no Job is started now; None if one is."""
    now = around.observed.now
    if around.suspended:
        return Decision(waiting(before, Reason.SUSPENDED, "the set is suspended"))
    if not around.storage.usable:
        return Decision(waiting(before, around.storage.reason, around.storage.message))
    if blocked is not None:
        return Decision(waiting(before, *blocked))
    if work.task is not Task.REMOVE and job_name(work.wanted, Task.REMOVE) in around.jobs:
        return Decision(waiting(before, Reason.REMOVING, "it is just being removed from the claim"), look_again=SOON)
    paused = _pause(before, now)
    if paused is None and around.is_busy:
        return Decision(waiting(before, Reason.WAITING_FOR_TURN, "other Jobs work on the claim"), look_again=POLL)
    return paused


def _pause(before: VariantStatus, now: datetime) -> Decision | None:
    """What failed is not tried again yet, or never."""
    if before.state is VariantState.FAILED and before.next_attempt is None and before.last_failure is not None:
        return Decision(before, final=True)
    if before.next_attempt is not None and moment(before.next_attempt) > now:
        return Decision(before, look_again=moment(before.next_attempt) - now)
    return None


def _with_job(work: Work, before: VariantStatus, live: Manifest, around: Around) -> Decision:
    if live["metadata"].get("deletionTimestamp"):
        return Decision(before, job=work.job, look_again=SOON)
    if annotation(live, INPUT) != work.input:
        return _stale(work, before, live, around)
    found = result(live, work.task, around.observed)
    if isinstance(found, Success):
        made_from = annotation(live, MADE_FROM)
        return Decision(before, job=work.job, success=found, made_from=made_from, look_again=timedelta(0))
    changed = around.in_charge(live) and annotation(live, RECIPE) != _recipe(work, around)
    replaceable = reference(live) if changed and not around.suspended else None
    if found is not None:
        decision = _ended(work, before, live, found, replace_now=replaceable, around=around)
        return _held(decision, live, around)
    if replaceable is not None and obstacle(live, around.observed) is not None:
        return Decision(_anew(work, before), job=work.job, prune=replaceable, look_again=SOON)
    return _held(_running(work, before, live, around), live, around)


def _held(decision: Decision, live: Manifest, around: Around) -> Decision:
    """A Job that stays, and that this set wants, has this set among its owners."""
    if decision.prune is not None or around.suspended or around.keeps(live):
        return decision
    return replace(decision, hold=reference(live))


def _recipe(work: Work, around: Around) -> str | None:
    return annotation(job(around.models, work, around.observed.defaults), RECIPE)


def _anew(work: Work, before: VariantStatus) -> VariantStatus:
    """As if no attempt had been made yet."""
    if work.makes:
        return fresh(work.wanted)
    return still(before).model_copy(update={"attempts": None, "last_failure": None})


def _stale(work: Work, before: VariantStatus, live: Manifest, around: Around) -> Decision:
    """A Job that does something else than what is wanted now."""
    if any(uid != around.models.metadata.uid for uid in keepers(live)):
        message = f"ModelSet {', '.join(sorted(set(keepers(live).values())))} is busy with it on the same claim"
        return Decision(waiting(before, Reason.JOB_ELSEWHERE, message), look_again=FOREIGN_POLL)
    return Decision(_anew(work, before), job=work.job, prune=reference(live), look_again=SOON)


def _ended(
    work: Work,
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
    if around.suspended:
        return Decision(status, job=work.job)
    if around.storage.reason is Reason.CLAIM_TERMINATING:
        return Decision(status, job=work.job, prune=reference(live), look_again=SOON)
    if replace_now is not None and counted:
        return Decision(_anew(work, before), job=work.job, prune=replace_now, look_again=SOON)
    if status.next_attempt is None:
        later = None if counted else timedelta(0)
        return Decision(status, job=work.job, final=True, look_again=later)
    due = moment(status.next_attempt)
    if counted and due <= now:
        return Decision(status, job=work.job, prune=reference(live), look_again=SOON)
    return Decision(status, job=work.job, look_again=max(due - now, timedelta(0)))


def _running(work: Work, before: VariantStatus, live: Manifest, around: Around) -> Decision:
    begun = started(work, before)
    stuck = obstacle(live, around.observed)
    if stuck is not None:
        update = {"state": VariantState.PENDING, "reason": str(stuck.reason), "message": stuck.message[:LONGEST]}
        return Decision(begun.model_copy(update=update), job=work.job, look_again=POLL)
    progress = around.observed.progress.get(work.job)
    says = told(work, progress) if progress else kept(before)
    return Decision(begun.model_copy(update=says), job=work.job, look_again=POLL)
