"""One variant, one turn: is it there, who says that it is not, and what is to be done next."""

from dataclasses import replace

from whisper_operator.api.conditions import Reason
from whisper_operator.api.modelset import Failure, VariantState, VariantStatus
from whisper_operator.plan.conditions import timestamp
from whisper_operator.plan.modelset.around import Around
from whisper_operator.plan.modelset.attempt import Decision, attempt
from whisper_operator.plan.modelset.chores import judged, look_after, remembering
from whisper_operator.plan.modelset.repair import complaint
from whisper_operator.plan.modelset.task import making
from whisper_operator.plan.modelset.variant_status import FIRST_RETRY, doubted, fresh, made, waiting
from whisper_operator.plan.modelset.wanted import Wanted

CONVERTED_BEFORE = "it was converted here before, and what is there stays"
"""As the Job says it that finds such a variant on a claim."""


def decide(wanted: Wanted, base: VariantStatus | None, around: Around) -> Decision:
    """What to do about one variant now; `base` is what it is made from, where it is made from anything."""
    if wanted.unknown is not None:
        return _failed_for_good(wanted, around)
    before = around.siblings.adopted(wanted, _before(wanted, around))
    other = around.siblings.conflicting(wanted)
    if other is not None:
        message = (
            f"ModelSet {other} has it from another source, or with another readyMade, on the same claim: "
            "give one of both its own claim"
        )
        return Decision(waiting(before, Reason.SOURCE_CONFLICT, message), final=True)
    if before.digest is None:
        return _make(wanted, before, base, around)
    why = complaint(wanted, before, around.observed)
    if why is not None:
        # No longer there: the Job that made it is run again, reads every byte and makes anew what is damaged.
        return Decision(doubted(before, why, None, around.observed.now), look_again=FIRST_RETRY)
    if base is not None and base.digest and before.made_from not in (None, base.digest):
        return _make(wanted, fresh(wanted), base, around)
    return look_after(wanted, before, around)


def _before(wanted: Wanted, around: Around) -> VariantStatus:
    """The status of the last turn, or a fresh one where the source or the claim is another."""
    for status in around.models.status.variants:
        if (status.name, status.format, status.precision) == wanted.key:
            if status.input == wanted.input:
                return status
            if status.input == wanted.otherwise and status.digest and not status.taken_from:
                return _stays_converted(wanted, status)
    return fresh(wanted)


def _stays_converted(wanted: Wanted, status: VariantStatus) -> VariantStatus:
    """What was converted here is right for either `readyMade`; only what others made is not."""
    why = (status.converted_because or CONVERTED_BEFORE) if wanted.is_taken else status.converted_because
    return status.model_copy(update={"input": wanted.input, "converted_because": why})


def _failed_for_good(wanted: Wanted, around: Around) -> Decision:
    message, known = wanted.unknown or "", _before(wanted, around).last_failure
    if known is None or known.message != message:
        known = Failure(reason=Reason.UNKNOWN_MODEL, message=message, time=timestamp(around.observed.now))
    update = {
        "state": VariantState.FAILED,
        "reason": str(Reason.UNKNOWN_MODEL),
        "message": message,
        "last_failure": known,
    }
    return Decision(fresh(wanted).model_copy(update=update), final=True)


def _make(wanted: Wanted, before: VariantStatus, base: VariantStatus | None, around: Around) -> Decision:
    """What is not there; what was there, and is mended, stays at its revision unless the set follows its source."""
    follows = around.models.spec.refresh_policy == "OnChange"
    work = making(wanted, None if follows else before.revision, base.digest if base else None)
    blocked = None
    if not wanted.is_downloaded and (base is None or base.digest is None):
        blocked = (Reason.WAITING_FOR_BASE, f"waits for the base checkpoint of {wanted.model}")
    decision = attempt(work, before, around, blocked=blocked)
    if decision.success is None:
        return decision
    status = made(wanted, decision.success, decision.made_from, around.observed.now)
    status = remembering(status, before, decision.success, around.models)
    return replace(decision, status=judged(wanted, status, around.models))
