"""The address of the service: what users call, and beside it the router's statistics for those who look after it."""

from whisper_operator.plan import names
from whisper_operator.plan.ownership import metadata, selector
from whisper_operator.plan.service.manifests.router_config_map import APP, COMPONENT
from whisper_operator.plan.service.target import Target
from whisper_operator.plan.types import Manifest

PORT = 80
STATS_PORT = 9902


def public_service(target: Target) -> Manifest:
    """What users call."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(target.service, names.service(target.name), APP, COMPONENT),
        "spec": {
            "type": target.effective.exposure,
            "selector": selector(target.service, COMPONENT),
            "ports": [{"name": "http", "port": PORT, "targetPort": "http", "protocol": "TCP"}],
        },
    }


def stats_service(target: Target) -> Manifest:
    """Health and metrics of the router."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(target.service, names.router(target.name), APP, f"{COMPONENT}-stats"),
        "spec": {
            "type": "ClusterIP",
            "selector": selector(target.service, COMPONENT),
            "ports": [{"name": "stats", "port": STATS_PORT, "targetPort": "stats", "protocol": "TCP"}],
        },
    }
