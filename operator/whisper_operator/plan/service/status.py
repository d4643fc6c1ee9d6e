"""The status to write, and the Events that a change in it is worth."""

from datetime import datetime

from whisper_operator.api.conditions import Conditions, ConditionType, Reason
from whisper_operator.api.whisperservice import Failover, RuntimeStatus, WhisperServiceStatus
from whisper_operator.plan.conditions import MESSAGE_LIMIT, Stated, settle, timestamp, transition
from whisper_operator.plan.service.conditions import conditions, shortfall
from whisper_operator.plan.service.picture import Picture, RuntimePicture
from whisper_operator.plan.service.target import Target
from whisper_operator.plan.types import Event

WORTH_AN_EVENT = (ConditionType.READY, ConditionType.MODELS_READY)
ON_THE_WAY = (Reason.VARIANT_PENDING, Reason.MODEL_SET_NOT_FOUND)
ARROW = " → "


def status(target: Target, seen: Picture, now: datetime) -> WhisperServiceStatus:
    """The status as a whole: it is written once, and only if it changed."""
    metadata, before = target.service.metadata, target.service.status
    return WhisperServiceStatus(
        observed_generation=metadata.generation,
        conditions=settle(before.conditions, conditions(seen), generation=metadata.generation, now=now),
        url=target.url,
        active_runtime=seen.active.name if seen.ready and seen.active else None,
        last_failover=failover(target, seen, now) or before.last_failover,
        chain=ARROW.join(target.chain),
        runtimes=tuple(_runtime_status(one) for one in seen.runtimes),
        effective=target.effective,
    )


def failover(target: Target, seen: Picture, now: datetime) -> Failover | None:
    """That a runtime further down the chain took over since the status that is written now."""
    served, active = target.service.status.active_runtime, seen.active if seen.ready else None
    if served not in target.chain or active is None:
        return None
    if target.chain.index(served) >= target.chain.index(active.name):
        return None
    reason, message = shortfall(next(one for one in seen.runtimes if one.name == served))
    return Failover(
        time=timestamp(now), from_runtime=served, to_runtime=active.name, reason=reason, message=message[:MESSAGE_LIMIT]
    )


def _runtime_status(one: RuntimePicture) -> RuntimeStatus:
    artifact = one.found.artifact
    lacking = not one.found.ready or one.serving < one.rollout.desired or not one.rollout.settled
    reason, message = shortfall(one) if lacking else (None, None)
    return RuntimeStatus(
        name=one.name,
        desired=one.runtime.replicas,
        ready=one.rollout.ready,
        healthy=one.healthy,
        model=artifact.model if artifact else None,
        variant=artifact.variant if artifact else None,
        reason=reason,
        message=message[:MESSAGE_LIMIT] if message else None,
    )


def events(target: Target, seen: Picture) -> tuple[Event, ...]:
    """What has changed since the status that is written now."""
    before = target.service.status.conditions
    stated = {one.type: one for one in conditions(seen)}
    found = [event for kind in WORTH_AN_EVENT for event in _change(before, stated[kind])]
    return (*found, *_degradation(before, stated[ConditionType.DEGRADED], seen))


def _change(before: Conditions, stated: Stated) -> tuple[Event, ...]:
    """A warning, but for what is good and for the ordinary way there, of which pods that start are no news at all."""
    held = _held(before, stated.type)
    if stated.reason == Reason.ROLLING_OUT and not held:
        return ()
    return transition(before, stated, good=bool(stated.holds) or (stated.reason in ON_THE_WAY and not held))


def _degradation(before: Conditions, stated: Stated, seen: Picture) -> tuple[Event, ...]:
    """News when it begins, changes or ends; not what never was, nor what ends because Ready says worse."""
    if not stated.holds and not (seen.ready and _held(before, stated.type)):
        return ()
    return transition(before, stated, good=not stated.holds)


def _held(before: Conditions, kind: ConditionType) -> bool:
    return any(one.type == kind and one.status == "True" for one in before)
