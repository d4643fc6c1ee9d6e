"""What is said of a resource for which there is no plan: it cannot be read, or planning itself failed."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from pydantic import TypeAdapter, ValidationError

from whisper_operator.api.conditions import Condition, ConditionType, Reason
from whisper_operator.plan.conditions import Stated, settle, transition
from whisper_operator.plan.types import Manifest, Plan

CONDITIONS = TypeAdapter(tuple[Condition, ...])
AFTER_A_MISTAKE = timedelta(minutes=2)
"""The same input fails again, but what is around it may have changed."""


def plan_invalid(resource: Manifest, error: ValidationError, now: datetime) -> Plan:
    """Stored under older rules than today's: touch nothing that is there, say what is wrong, wait for a person."""
    message = f"{first_error(error)}; correct the resource and apply it again"
    ready = Stated(ConditionType.READY, False, Reason.INVALID_SPEC, message)
    stalled = Stated(ConditionType.STALLED, True, Reason.INVALID_SPEC, message)
    return _only_said(resource, (ready, stalled), now)


def plan_failed(resource: Manifest, error: Exception, now: datetime) -> Plan:
    """A mistake of the operator's own: what is there may well work, but nobody looks after it."""
    message = f"The operator failed to plan this resource, so nothing about it changes: {type(error).__name__}: {error}"
    ready = Stated(ConditionType.READY, None, Reason.INTERNAL_ERROR, message)
    return _only_said(resource, (ready,), now, look_again=AFTER_A_MISTAKE)


def first_error(error: ValidationError) -> str:
    """Where it is wrong, and how."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(step) for step in first["loc"])
    return f"{where}: {first['msg'].removeprefix('Value error, ')}"


def _only_said(
    resource: Manifest, stated: Iterable[Stated], now: datetime, look_again: timedelta | None = None
) -> Plan:
    """The status as it was, but for its conditions."""
    status = dict(resource.get("status") or {})
    try:
        before = CONDITIONS.validate_python(status.get("conditions") or ())
    except ValidationError:
        before = ()
    said = tuple(stated)
    generation = resource["metadata"].get("generation", 0)
    settled = settle(before, said, generation=generation, now=now)
    return Plan(
        status=status | {"observedGeneration": generation, "conditions": [one.dump() for one in settled]},
        events=transition(before, said[0], good=False),
        look_again=look_again,
    )
