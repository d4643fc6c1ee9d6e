"""What a variant that is there needs: a comparison with its original, a look at its bytes, a question to its hub.

Only the comparison can keep it from being served, and only where the set enforces it.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from whisper_operator.api.conditions import Reason
from whisper_operator.api.modelset import ModelSet, VariantState, VariantStatus
from whisper_operator.api.units import seconds
from whisper_operator.plan import names
from whisper_operator.plan.conditions import moment, timestamp
from whisper_operator.plan.modelset.arguments import enforced, threshold
from whisper_operator.plan.modelset.around import Around
from whisper_operator.plan.modelset.attempt import Decision, attempt
from whisper_operator.plan.modelset.mounts import own_samples
from whisper_operator.plan.modelset.repair import DAMAGE
from whisper_operator.plan.modelset.result import Ended, Success
from whisper_operator.plan.modelset.task import Task, Work
from whisper_operator.plan.modelset.variant_status import doubted, made, still
from whisper_operator.plan.modelset.wanted import Wanted

REFRESH_EVERY = "1h"
"""Where the spec does not say."""


def look_after(wanted: Wanted, before: VariantStatus, around: Around) -> Decision:
    """What to do about a variant that is there."""
    work = _due(wanted, before, around)
    if work is None:
        status = judged(wanted, before, around.models)
        return Decision(status, look_again=_next(wanted, before, around), final=status.state is VariantState.FAILED)
    decision = attempt(work, before, around)
    if decision.success is not None:
        return replace(decision, status=judged(wanted, _done(work, before, decision.success, around), around.models))
    if _finds_damage(work, before, decision.status):
        uid = decision.status.last_failure.job_uid if decision.status.last_failure else None
        why = Ended(str(decision.status.reason), decision.status.message or "")
        # A comparison reads the base, too: with the Job's UID, this counts against both.
        status = doubted(before, why, uid if work.task is Task.VALIDATE else None, around.observed.now)
        return replace(decision, status=status, final=False)
    if work.task is Task.VALIDATE and _enforces(around.models):
        return decision
    return _aside(work, decision, around)


def judged(wanted: Wanted, status: VariantStatus, models: ModelSet) -> VariantStatus:
    """A variant that is there, in the state that its comparison gives it."""
    state, reason, message = VariantState.READY, None, None
    if not is_validated(wanted, status, models):
        state = VariantState.VALIDATING if _enforces(models) else VariantState.READY
    elif falls_short(status, models) and _enforces(models):
        state, reason, message = VariantState.FAILED, str(Reason.VARIANT_UNVERIFIED), shortfall(status, models)
    return status.model_copy(update={"state": state, "reason": reason, "message": message})


def remembering(status: VariantStatus, before: VariantStatus, found: Success, models: ModelSet) -> VariantStatus:
    """With the similarity that the Job found beside what it made, or met: it need not be measured twice.

    Every comparison hears the image's clip; whether one heard the set's own, too, only the set can know.
    """
    comparison = _comparison(status, models)
    heard_all = own_samples(models) is None or before.validated_with == comparison
    if found.similarity is None or found.threshold != enforced(models) or not heard_all:
        return status
    return status.model_copy(update={"similarity": found.similarity, "validated_with": comparison})


def is_validated(wanted: Wanted, status: VariantStatus, models: ModelSet) -> bool:
    """Whether it was compared, as it is, with the clips of the spec; a download is an original itself."""
    return wanted.is_downloaded or status.validated_with == _comparison(status, models)


def falls_short(status: VariantStatus, models: ModelSet) -> bool:
    """Whether its transcripts are too far from its original's."""
    return status.similarity is not None and status.similarity < threshold(models)


def shortfall(status: VariantStatus, models: ModelSet) -> str:
    """The figures, and what to do."""
    return (
        f"its transcripts are {status.similarity:.3f} like its original's, and spec.validation.similarity asks for "
        f"{threshold(models):g}: use another precision, ask for less, or set spec.validation.policy to Report"
    )


def _enforces(models: ModelSet) -> bool:
    return not (models.spec.validation and models.spec.validation.policy == "Report")


def _comparison(status: VariantStatus, models: ModelSet) -> str:
    """Stands for content, clips and threshold: the last is written beside the variant, too, and runtimes go by it."""
    return names.digest(status.digest or "", own_samples(models) or "", f"{enforced(models):g}")


def _due(wanted: Wanted, before: VariantStatus, around: Around) -> Work | None:
    models, now = around.models, around.observed.now
    if not is_validated(wanted, before, models):
        return Work(Task.VALIDATE, wanted, _comparison(before, models))
    late = {task: when for task, when in _times(wanted, before, models) if when <= now}
    if Task.VERIFY in late:
        return Work(Task.VERIFY, wanted, before.digest or "")
    return Work(Task.REFRESH, wanted, wanted.input) if Task.REFRESH in late else None


def _times(wanted: Wanted, before: VariantStatus, models: ModelSet) -> Iterator[tuple[Task, datetime]]:
    """When what is done again and again is due."""
    if models.spec.reverify_every and before.verified_at:
        yield Task.VERIFY, moment(before.verified_at) + timedelta(seconds=seconds(models.spec.reverify_every))
    if models.spec.refresh_policy == "OnChange" and wanted.may_change and before.refreshed_at:
        yield (
            Task.REFRESH,
            moment(before.refreshed_at) + timedelta(seconds=seconds(models.spec.refresh_every or REFRESH_EVERY)),
        )


def _next(wanted: Wanted, before: VariantStatus, around: Around) -> timedelta | None:
    times = [when - around.observed.now for _, when in _times(wanted, before, around.models)]
    return min(times, default=None)


def _done(work: Work, before: VariantStatus, found: Success, around: Around) -> VariantStatus:
    """What the Job found out."""
    now = around.observed.now
    if work.task is Task.REFRESH:
        return made(work.wanted, found, None, now)
    cleared = still(before).model_copy(update={"attempts": None, "last_failure": None, "verified_at": timestamp(now)})
    if work.task is Task.VERIFY:
        return cleared
    return cleared.model_copy(update={"similarity": found.similarity, "validated_with": work.input})


def _finds_damage(work: Work, before: VariantStatus, now: VariantStatus) -> bool:
    """A refresh that ends so read a transfer; the other two read the claim."""
    failure = now.last_failure
    is_new = failure is not None and failure != before.last_failure
    return is_new and work.task is not Task.REFRESH and now.reason in DAMAGE


def _aside(work: Work, decision: Decision, around: Around) -> Decision:
    """It goes on being what it is, whatever becomes of the chore; a hub is asked again whatever it said."""
    status = judged(work.wanted, decision.status, around.models)
    if decision.final and work.task is Task.REFRESH:
        status = status.model_copy(update={"refreshed_at": timestamp(around.observed.now)})
    return replace(decision, status=status, final=status.state is VariantState.FAILED)
