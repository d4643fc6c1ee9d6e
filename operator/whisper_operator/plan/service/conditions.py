"""What a person is told: each condition by one rule over the picture."""

from collections.abc import Iterator

from whisper_operator.api.conditions import ConditionType, Reason
from whisper_operator.plan.conditions import Stated
from whisper_operator.plan.service.picture import Picture, RuntimePicture

NO_ROUTER = "No router pod can be asked, so this is what Kubernetes says of the pods themselves: "


def conditions(seen: Picture) -> tuple[Stated, ...]:
    """Ready first, since it is what most people read; Reconciling and Stalled only when they hold (kstatus)."""
    always = (_ready(seen), _models_ready(seen), _routing_ready(seen), _degraded(seen))
    passing = (_stalled(seen), _reconciling(seen))
    return always[:1] + tuple(one for one in passing if one is not None) + always[1:]


def _ready(seen: Picture) -> Stated:
    if seen.ready:
        return Stated(ConditionType.READY, holds=True, reason=Reason.READY, message=_serves(seen))
    reason, message = next(_obstacles(seen))
    return Stated(ConditionType.READY, holds=False, reason=reason, message=message)


def _serves(seen: Picture) -> str:
    active = seen.active
    if active is None:
        return ""
    artifact = active.found.artifact
    return f"{active.name} serves {artifact.model if artifact else seen.model}"


def _obstacles(seen: Picture) -> Iterator[tuple[Reason, str]]:
    """Why it does not serve, the nearest to the cause first."""
    if (wrong := _to_correct(seen)) is not None:
        yield wrong
    # One that the cluster has no node for keeps nobody else from serving.
    for one in [one for one in seen.runtimes if not one.absent] or seen.runtimes:
        if not one.found.ready:
            yield one.found.reason, one.found.message
        if one.trouble is not None:
            yield one.trouble.reason, one.trouble.message
        if one.rollout.refused is not None:
            yield Reason.POD_REFUSED, one.rollout.refused
    if not seen.router_serves:
        yield _router_obstacle(seen)
    if seen.settled or all(one.rollout.ready for one in seen.runtimes):
        yield Reason.NO_HEALTHY_RUNTIME, _no_healthy_runtime(seen)
    yield Reason.ROLLING_OUT, "Pods are starting: " + ", ".join(_count(one) for one in seen.runtimes)


def _to_correct(seen: Picture) -> tuple[Reason, str] | None:
    """What only a person can change."""
    if seen.taken:
        what = ", ".join(seen.taken)
        return Reason.NAME_TAKEN, f"{what} belongs to someone else: rename or delete it, or rename this service"
    if seen.refusals:
        return Reason.REFUSED, " ".join(seen.refusals)
    for one in seen.runtimes:
        if one.found.stalled:
            return one.found.reason, one.found.message
    return None


def _router_obstacle(seen: Picture) -> tuple[Reason, str]:
    if seen.router_trouble is not None:
        return seen.router_trouble.reason, seen.router_trouble.message
    if seen.router.refused is not None:
        return Reason.POD_REFUSED, seen.router.refused
    if not seen.router.settled:
        return Reason.ROLLING_OUT, "The router's pods are starting"
    return Reason.ROUTER_UNREACHABLE, "No router pod answered the operator, and none is ready"


def _no_healthy_runtime(seen: Picture) -> str:
    if not any(one.rollout.desired for one in seen.runtimes):
        return "The spec asks for no pods (replicas: 0)"
    return "The router finds no pod healthy: " + ", ".join(_count(one) for one in seen.runtimes)


def _count(one: RuntimePicture) -> str:
    return f"{one.serving} of {one.rollout.desired} {one.name}"


def _models_ready(seen: Picture) -> Stated:
    missing = [one for one in seen.runtimes if not one.found.ready]
    if not missing:
        said = "; ".join(one.found.message for one in seen.runtimes)
        return Stated(ConditionType.MODELS_READY, holds=True, reason=Reason.READY, message=said)
    first = missing[0].found
    meanwhile = f". Meanwhile {first.artifact.model} ({first.artifact.variant}) is served" if first.artifact else ""
    return Stated(ConditionType.MODELS_READY, holds=False, reason=first.reason, message=first.message + meanwhile)


def _routing_ready(seen: Picture) -> Stated:
    stated = ConditionType.ROUTING_READY
    if not seen.router_serves:
        reason, message = _router_obstacle(seen)
        return Stated(stated, holds=False, reason=reason, message=message)
    by_hearsay = "" if seen.router_answers else NO_ROUTER
    if seen.active is None:
        return Stated(
            stated, holds=False, reason=Reason.NO_HEALTHY_RUNTIME, message=by_hearsay + _no_healthy_runtime(seen)
        )
    healthy = ", ".join(_count(one) for one in seen.runtimes)
    return Stated(stated, holds=True, reason=Reason.READY, message=f"{by_hearsay}{healthy} healthy")


def _degraded(seen: Picture) -> Stated:
    if seen.ready and (lacks := next(_shortfalls(seen), None)) is not None:
        return Stated(ConditionType.DEGRADED, holds=True, reason=lacks[0], message=lacks[1])
    says = "It serves as asked" if seen.ready else "It does not serve at all: see Ready"
    return Stated(
        ConditionType.DEGRADED, holds=False, reason=Reason.READY if seen.ready else Reason.PROGRESSING, message=says
    )


def _shortfalls(seen: Picture) -> Iterator[tuple[Reason, str]]:
    for one in seen.runtimes:
        if not one.found.ready or one.serving < one.rollout.desired:
            yield shortfall(one)
    if seen.silent_routers:
        yield Reason.ROUTER_UNREACHABLE, f"The others serve, but no answer from {', '.join(seen.silent_routers)}"
    if seen.router.ready < seen.router.desired:
        yield _routers_missing(seen)


def _routers_missing(seen: Picture) -> tuple[Reason, str]:
    if seen.router_trouble is not None:
        return seen.router_trouble.reason, seen.router_trouble.message
    if seen.router.refused is not None:
        return Reason.POD_REFUSED, seen.router.refused
    return Reason.REPLICAS_MISSING, f"{seen.router.ready} of {seen.router.desired} router pods ready"


def shortfall(one: RuntimePicture) -> tuple[Reason, str]:
    """Why a runtime does not serve as asked."""
    if not one.found.ready:
        return one.found.reason, one.found.message
    if one.trouble is not None:
        return one.trouble.reason, one.trouble.message
    if one.rollout.refused is not None:
        return Reason.POD_REFUSED, one.rollout.refused
    if one.unresponsive:
        return Reason.REPLICAS_MISSING, f"{_count(one)} healthy: no answer from {', '.join(one.unresponsive)}"
    if not one.rollout.settled:
        return Reason.ROLLING_OUT, f"Pods are starting or being replaced: {_count(one)}"
    by = f" for {', '.join(one.missed_by)}; the other router pods reach more" if one.missed_by else ""
    return Reason.REPLICAS_MISSING, f"{_count(one)} healthy{by}"


def _stalled(seen: Picture) -> Stated | None:
    wrong = _to_correct(seen)
    return None if wrong is None else Stated(ConditionType.STALLED, holds=True, reason=wrong[0], message=wrong[1])


def _reconciling(seen: Picture) -> Stated | None:
    if _to_correct(seen) is not None or (seen.settled and seen.ready):
        return None
    for one in seen.runtimes:
        if not one.found.ready:
            return Stated(ConditionType.RECONCILING, holds=True, reason=one.found.reason, message=one.found.message)
    if not seen.settled:
        message = "Pods are starting or being replaced: " + ", ".join(_count(one) for one in seen.runtimes)
        return Stated(ConditionType.RECONCILING, holds=True, reason=Reason.ROLLING_OUT, message=message)
    return None
