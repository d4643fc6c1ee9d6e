"""Draining a node takes one pod of a kind at a time, and never waits for a pod that is broken anyway.

Where there is one pod at most, a budget would allow what is allowed without it: then there is none.
"""

from whisper_operator.api.whisperservice import EffectiveRuntime
from whisper_operator.plan import names
from whisper_operator.plan.ownership import metadata, selector
from whisper_operator.plan.service.manifests.router_config_map import APP, COMPONENT
from whisper_operator.plan.service.target import Target
from whisper_operator.plan.types import Manifest


def router_disruption_budget(target: Target) -> Manifest | None:
    """For the router's pods."""
    if target.effective.routing.replicas <= 1:
        return None
    return _budget(target, names.router(target.name), APP, COMPONENT)


def runtime_disruption_budget(target: Target, runtime: EffectiveRuntime) -> Manifest | None:
    """For one runtime's pods."""
    if runtime.replicas <= 1:
        return None
    return _budget(target, names.runtime(target.name, runtime.name), f"whisper-{runtime.name}", runtime.name)


def _budget(target: Target, name: str, app: str, component: str) -> Manifest:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(target.service, name, app, component),
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": selector(target.service, component)},
        },
    }
