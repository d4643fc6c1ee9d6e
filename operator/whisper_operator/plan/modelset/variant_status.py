"""What a variant's status says in each situation; when to say which is decided in `variant`."""

from datetime import datetime, timedelta

from whisper_operator.api.conditions import Reason
from whisper_operator.api.modelset import Failure, VariantState, VariantStatus
from whisper_operator.plan.conditions import timestamp
from whisper_operator.plan.modelset.result import Ended, Success
from whisper_operator.plan.modelset.task import Task, Work
from whisper_operator.plan.modelset.wanted import Wanted
from whisper_operator.plan.types import Progress

FIRST_RETRY = timedelta(seconds=10)
LAST_RETRY = timedelta(minutes=5)
LONGEST = 1024
"""Characters of a message; schedulers and registries can be talkative."""
READING = "Verifying"
"""The stage in which every byte of what is there is read: of a conversion's checkpoint, too."""
CHECKING = (READING, "Validating")
"""Stages in which all that is wanted is there, and is looked at."""
STATES = {
    "Converting": VariantState.CONVERTING,
    "Optimizing": VariantState.OPTIMIZING,
    **dict.fromkeys(CHECKING, VariantState.VALIDATING),
}
"""Stages of a Job that makes a variant, where they are not what its task is called by."""


def fresh(wanted: Wanted) -> VariantStatus:
    """A variant about which nothing is known."""
    return VariantStatus(
        name=wanted.model,
        format=wanted.format,
        precision=wanted.precision,
        state=VariantState.PENDING,
        input=wanted.input,
    )


def started(work: Work, before: VariantStatus) -> VariantStatus:
    """A Job was made; how far it is, nobody has said yet."""
    if not work.makes:
        return still(before).model_copy(update={"state": working(work.task), "reason": None, "message": None})
    kept = ("attempts", "last_failure", "revision", "validated_with")
    return fresh(work.wanted).model_copy(
        update={"state": working(work.task)} | {name: getattr(before, name) for name in kept}
    )


def working(task: Task) -> VariantState:
    """What a Job of this kind does, whatever it calls the steps on its way."""
    match task:
        case Task.DOWNLOAD | Task.TAKE | Task.REFRESH:
            return VariantState.DOWNLOADING
        case Task.CONVERT:
            return VariantState.CONVERTING
        case Task.VALIDATE | Task.VERIFY:
            return VariantState.VALIDATING
        case Task.REMOVE:
            return VariantState.PENDING


def state_of(work: Work, stage: str) -> VariantState:
    """What a Job does that has told its stage; one that makes nothing does one thing, however many steps it takes."""
    if not work.makes:
        return VariantState.VALIDATING if stage in CHECKING else working(work.task)
    if work.task is Task.CONVERT and stage == READING:
        return VariantState.CONVERTING
    return STATES.get(stage, working(work.task))


def told(work: Work, progress: Progress) -> dict[str, object]:
    """What the Job's pod says."""
    return {
        "state": state_of(work, progress.stage),
        "stage": progress.stage,
        "bytes_done": max(progress.bytes_done, 0),
        "bytes_total": progress.bytes_total,
        "bytes_per_second": None if progress.speed is None else round(progress.speed),
        "eta_seconds": None if progress.eta is None else round(progress.eta),
    }


def kept(before: VariantStatus) -> dict[str, object]:
    """A pod that does not answer for a moment is no step back."""
    if before.stage is None:
        return {}
    return {
        "state": before.state,
        "stage": before.stage,
        "bytes_done": before.bytes_done,
        "bytes_total": before.bytes_total,
    }


def waiting(before: VariantStatus, reason: Reason, message: str) -> VariantStatus:
    """Not now; what failed before is not forgotten."""
    update = {"state": VariantState.PENDING, "reason": str(reason), "message": message[:LONGEST]}
    return still(before).model_copy(update=update)


def made(wanted: Wanted, found: Success, made_from: str | None, now: datetime) -> VariantStatus:
    """There, with what the Job said of it; every Job that makes one ends by knowing each byte."""
    names = ("revision", "digest", "size_bytes", "path")
    said = {name: getattr(found, name) for name in names}
    taken_from = found.premade and (wanted.source.claim or found.premade)
    said |= {"taken_from": taken_from and taken_from[:LONGEST], "made_from": None if taken_from else made_from}
    said["converted_because"] = found.converted_because and found.converted_because[:LONGEST]
    times = {"verified_at": timestamp(now), "refreshed_at": timestamp(now) if wanted.is_downloaded else None}
    return fresh(wanted).model_copy(update={"state": VariantState.READY} | said | times)


def doubted(before: VariantStatus, why: Ended, uid: str | None, now: datetime) -> VariantStatus:
    """Somebody says that its bytes are gone, or not those that were published: there is none until that is mended."""
    status = failed(before, why, uid, now)
    return status.model_copy(update={"digest": None, "path": None, "size_bytes": None})


def failed(before: VariantStatus, found: Ended, uid: str | None, now: datetime) -> VariantStatus:
    """One attempt more that failed, and when the next one is due."""
    furthest = before.last_failure.bytes_done or 0 if before.last_failure else 0
    got_on = before.last_failure is not None and (before.bytes_done or 0) > furthest
    attempts = 1 if got_on else (before.attempts or 0) + 1
    wait = min(LAST_RETRY, FIRST_RETRY * 2 ** min(attempts - 1, 16))
    wait = max(wait, found.retry_after or wait)
    message = found.message[:LONGEST]
    failure = Failure(
        reason=found.reason,
        message=message,
        time=timestamp(now),
        job_uid=uid,
        bytes_done=max(before.bytes_done or 0, furthest) or None,
    )
    return still(before).model_copy(
        update={
            "state": VariantState.FAILED,
            "reason": found.reason,
            "message": message,
            "attempts": attempts,
            "next_attempt": timestamp(now + wait) if found.retryable else None,
            "last_failure": failure,
        }
    )


def still(status: VariantStatus) -> VariantStatus:
    """Without what only a running Job can know."""
    gone = ("stage", "bytes_done", "bytes_total", "bytes_per_second", "eta_seconds", "next_attempt")
    return status.model_copy(update=dict.fromkeys(gone))
