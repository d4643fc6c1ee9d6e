"""Every object that makes up a service, each by one small function: a new kind is one file and one line here."""

from whisper_operator.plan.service.manifests.disruption_budget import (
    router_disruption_budget,
    runtime_disruption_budget,
)
from whisper_operator.plan.service.manifests.router_config_map import router_config_map
from whisper_operator.plan.service.manifests.router_deployment import router_deployment
from whisper_operator.plan.service.manifests.router_service import public_service, stats_service
from whisper_operator.plan.service.manifests.runtime_deployment import runtime_deployment
from whisper_operator.plan.service.manifests.runtime_service import runtime_service
from whisper_operator.plan.service.rollout import stamped
from whisper_operator.plan.service.target import Target
from whisper_operator.plan.types import Manifest

FOR_THE_ROUTER = (router_config_map, router_deployment, public_service, stats_service, router_disruption_budget)
FOR_EACH_RUNTIME = (runtime_service, runtime_deployment, runtime_disruption_budget)


def manifests(target: Target) -> list[Manifest]:
    """Everything that should exist."""
    of_runtimes = [build(target, runtime) for runtime in target.effective.runtimes for build in FOR_EACH_RUNTIME]
    built = [*(build(target) for build in FOR_THE_ROUTER), *of_runtimes]
    return [stamped(one) if one["kind"] == "Deployment" else one for one in built if one is not None]
