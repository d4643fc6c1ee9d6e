"""Variants that the spec no longer names: they leave the claim when nobody else names or reads them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from whisper_models.catalogue import canonical

from whisper_operator.api.conditions import Reason
from whisper_operator.api.modelset import VariantState, VariantStatus
from whisper_operator.api.sources import HubModel
from whisper_operator.plan.modelset.around import Around
from whisper_operator.plan.modelset.attempt import SOON, Decision, attempt
from whisper_operator.plan.modelset.claim import claim_name
from whisper_operator.plan.modelset.repair import served
from whisper_operator.plan.modelset.sources import Origin
from whisper_operator.plan.modelset.task import Task, Work, job_name
from whisper_operator.plan.modelset.variant_status import still, waiting
from whisper_operator.plan.modelset.wanted import Wanted
from whisper_operator.plan.service.effective import effective
from whisper_operator.plan.service.models import wanted as asked_for
from whisper_operator.plan.types import ObservedModelSet

LOOK = timedelta(seconds=10)
"""How often to see whether somebody still needs a variant: pods and other sets do not tell this one."""
WORKING = (Task.DOWNLOAD, Task.VALIDATE, Task.VERIFY, Task.REFRESH)
"""Tasks whose Jobs write or read what is to be removed; a conversion's Job has the name of a download's."""


def departures(wanted: tuple[Wanted, ...], around: Around) -> list[Decision]:
    """What to do about each variant that is on the claim and that the spec does not name."""
    named = {one.key for one in wanted}
    found: list[Decision] = []
    for one in _left(around):
        if _key(one) not in named:
            begun = around.begun + sum(decision.apply is not None for decision in found)
            found.append(_depart(_leaving(one, around), one, replace(around, begun=begun)))
    return [one for one in found if one.success is None]


def _left(around: Around) -> Iterator[VariantStatus]:
    """Whatever a Job may have put on this very claim; how its making went no longer matters."""
    status, live = around.models.status, around.observed.claim
    if status.storage is None or live is None or status.storage.claim_uid != live["metadata"]["uid"]:
        return
    forgotten = {"state": VariantState.PENDING, "attempts": None, "last_failure": None}
    for one in status.variants:
        if one.digest or one.attempts or one.state not in (VariantState.PENDING, VariantState.FAILED):
            yield still(one).model_copy(update=forgotten)
    yield from status.leaving


def _depart(gone: Wanted, before: VariantStatus, around: Around) -> Decision:
    users = sorted(set(_users(gone, around)))
    if users:
        message = f"named by {', '.join(users)}: it stays on the claim until that ends"
        return Decision(_said(before, Reason.STILL_IN_USE, message), look_again=LOOK)
    if any(job_name(gone, task) in around.jobs for task in WORKING):
        return Decision(_said(before, Reason.REMOVING, "waits for the Job that works on it to end"), look_again=SOON)
    decision = attempt(Work(Task.REMOVE, gone, gone.input), before, around)
    if decision.status.reason is None:
        return replace(decision, status=_said(decision.status, Reason.REMOVING, "is being removed from the claim"))
    return decision


def _said(status: VariantStatus, reason: Reason, message: str) -> VariantStatus:
    return waiting(still(status), reason, message)


def _users(gone: Wanted, around: Around) -> Iterator[str]:
    yield from (f"ModelSet {name}" for name in around.siblings.naming(gone.key))
    yield from (f"WhisperService {name}" for name in _services(gone, around.observed))
    for pod in around.observed.readers:
        if served(pod) == (canonical(gone.model), f"{gone.format}/{gone.precision}"):
            yield f"Pod {pod['metadata']['name']}"


def _services(gone: Wanted, observed: ObservedModelSet) -> Iterator[str]:
    """Services on the claim that ask for a variant, whichever of its sets they refer to."""
    for service in observed.users:
        for runtime in effective(service.spec, observed.defaults.images).runtimes:
            asked = asked_for(runtime, service.spec.model)
            if (asked.model, asked.format, asked.precision) == (canonical(gone.model), gone.format, gone.precision):
                yield service.metadata.name


def _leaving(status: VariantStatus, around: Around) -> Wanted:
    return Wanted(
        model=status.name,
        format=status.format,
        precision=status.precision,
        claim=claim_name(around.models),
        input=status.input or "",
        source=Origin(HubModel()),
        size_bytes=None,
    )


def _key(status: VariantStatus) -> tuple[str, str, str]:
    return status.name, status.format, status.precision
