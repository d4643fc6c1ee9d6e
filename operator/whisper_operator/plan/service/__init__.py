"""Planning a WhisperService: what should exist, what is there too many, and what to tell.

Pure: everything that it depends on is in the ObservedService.
"""

from collections.abc import Iterable

from whisper_operator.plan import names
from whisper_operator.plan.service.effective import effective
from whisper_operator.plan.service.manifests import manifests
from whisper_operator.plan.service.models import Found, deployment_named, find, served_by, wanted
from whisper_operator.plan.service.picture import picture
from whisper_operator.plan.service.status import events, status
from whisper_operator.plan.service.target import Target
from whisper_operator.plan.types import Manifest, ObjectRef, ObservedService, Plan

__all__ = ["plan_service"]


def plan_service(observed: ObservedService) -> Plan:
    """Everything to do about one service, from what was observed of it."""
    if observed.resource.metadata.deletion_timestamp:
        # Everything goes with its owner; building more would only be in the way.
        return Plan()
    target, found = _decide(observed)
    desired = manifests(target)
    seen = picture(observed, target, found, desired)
    return Plan(
        apply=tuple(desired),
        prune=_superfluous(observed.owned, desired),
        status=status(target, seen, observed.now).dump(),
        events=events(target, seen),
    )


def _decide(observed: ObservedService) -> tuple[Target, dict[str, Found]]:
    service, spec = observed.resource, observed.resource.spec
    resolved = effective(spec, observed.defaults.images)
    found = {
        runtime.name: find(
            wanted(runtime, spec.model),
            observed.modelset,
            spec.model_set_ref.name,
            served_by(deployment_named(names.runtime(service.metadata.name, runtime.name), observed.owned)),
            observed.modelset_error,
        )
        for runtime in resolved.runtimes
    }
    artifacts = {name: one.artifact for name, one in found.items() if one.artifact is not None}
    return Target(service, resolved, artifacts, observed.defaults), found


def _superfluous(owned: Iterable[Manifest], desired: Iterable[Manifest]) -> tuple[ObjectRef, ...]:
    """Objects of ours that the spec no longer asks for."""
    wanted_now = {(one["kind"], one["metadata"]["name"]) for one in desired}
    return tuple(
        ObjectRef(
            api_version=one["apiVersion"],
            kind=one["kind"],
            namespace=one["metadata"]["namespace"],
            name=one["metadata"]["name"],
            uid=one["metadata"]["uid"],
        )
        for one in owned
        if (one["kind"], one["metadata"]["name"]) not in wanted_now
    )
