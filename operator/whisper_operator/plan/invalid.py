"""A resource that cannot be read: it was stored under older rules than today's types have."""

from datetime import datetime

from pydantic import TypeAdapter, ValidationError

from whisper_operator.api.conditions import Condition, ConditionType, Reason
from whisper_operator.plan.conditions import Stated, settle, transition
from whisper_operator.plan.types import Manifest, Plan

CONDITIONS = TypeAdapter(tuple[Condition, ...])


def plan_invalid(resource: Manifest, error: ValidationError, now: datetime) -> Plan:
    """Touch nothing that is there; say what is wrong and wait for a person."""
    status = dict(resource.get("status") or {})
    try:
        before = CONDITIONS.validate_python(status.get("conditions") or ())
    except ValidationError:
        before = ()
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(step) for step in first["loc"])
    message = f"{where}: {first['msg']}; correct the resource and apply it again"
    ready = Stated(ConditionType.READY, False, Reason.INVALID_SPEC, message)
    stalled = Stated(ConditionType.STALLED, True, Reason.INVALID_SPEC, message)
    generation = resource["metadata"].get("generation", 0)
    settled = settle(before, (ready, stalled), generation=generation, now=now)
    return Plan(
        status=status | {"observedGeneration": generation, "conditions": [one.dump() for one in settled]},
        events=transition(before, ready, good=False),
    )
