"""The router's pods: Envoy as it comes, with our configuration and no rights."""

from datetime import timedelta

from whisper_operator.api import GROUP
from whisper_operator.plan import names, security
from whisper_operator.plan.ownership import labels, metadata, selector
from whisper_operator.plan.service.envoy import RouterSettings
from whisper_operator.plan.service.envoy.drain import DRAIN_PATH, KEY_HEADER
from whisper_operator.plan.service.envoy.settings import MEBIBYTE
from whisper_operator.plan.service.envoy.stats_listener import LIVE_PATH, READY_PATH
from whisper_operator.plan.service.manifests.router_config_map import APP, COMPONENT, FILE, config_hash, settings
from whisper_operator.plan.service.manifests.spread import across_nodes, rolling
from whisper_operator.plan.service.target import Target
from whisper_operator.plan.types import Manifest

CONFIG_ANNOTATION = f"{GROUP}/router-config"
CONFIG_PATH = "/etc/envoy"
# Beyond the heap that requests may fill: code, stacks, and what the allocator keeps.
MEMORY_BESIDE_HEAP = 256 * MEBIBYTE
GRACE = timedelta(seconds=15)
# An option and its value are two arguments: Envoy does not take `--option=value`.
OPTIONS = (
    # Hot restart needs shared memory; Kubernetes replaces pods instead.
    "--disable-hot-restart",
    # Not the number of the node's cores, of which the pod may use a few.
    *("--concurrency", "2"),
    # When it drains, every answer says `connection: close`, not one in a hundred.
    *("--drain-strategy", "immediate"),
    *("--log-level", "warning"),
)


def router_deployment(target: Target) -> Manifest:
    """The Deployment of the router."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(target.service, names.router(target.name), APP, COMPONENT),
        "spec": {
            "replicas": target.effective.routing.replicas,
            "revisionHistoryLimit": 2,
            "selector": {"matchLabels": selector(target.service, COMPONENT)},
            "strategy": rolling(),
            "template": {
                "metadata": {
                    "labels": labels(target.service, APP, COMPONENT),
                    # Envoy does not read a changed file by itself: new pods do.
                    "annotations": {CONFIG_ANNOTATION: config_hash(target)},
                },
                "spec": _pod_spec(target, settings(target)),
            },
        },
    }


def _pod_spec(target: Target, envoy: RouterSettings) -> Manifest:
    name = names.router(target.name)
    return {
        **security.pod(target.defaults),
        "terminationGracePeriodSeconds": round((envoy.drain_timeout + GRACE).total_seconds()),
        "topologySpreadConstraints": across_nodes(selector(target.service, COMPONENT)),
        # The runtimes' names are complete, so no search domain is tried before them.
        "dnsConfig": {"options": [{"name": "ndots", "value": "1"}]},
        "containers": [_container(target, envoy)],
        "volumes": [{"name": "config", "configMap": {"name": name}}],
    }


def _container(target: Target, envoy: RouterSettings) -> Manifest:
    memory = (envoy.max_heap_bytes + MEMORY_BESIDE_HEAP) // MEBIBYTE
    return {
        "name": "envoy",
        "image": target.defaults.images.router,
        "imagePullPolicy": target.defaults.images.pull_policy,
        "args": ["--config-path", f"{CONFIG_PATH}/{FILE}", *OPTIONS],
        "ports": [
            {"name": "http", "containerPort": envoy.http_port, "protocol": "TCP"},
            {"name": "stats", "containerPort": envoy.stats_port, "protocol": "TCP"},
        ],
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": f"{memory}Mi"}},
        "securityContext": security.container(),
        "startupProbe": _probe(READY_PATH, period=1, failures=60),
        # A router that is short of processor time for some seconds still serves; where all of them are taken out of the
        # Service, every caller is refused. One that hangs is ended by its liveness probe.
        "readinessProbe": _probe(READY_PATH, period=2, failures=5),
        "livenessProbe": _probe(LIVE_PATH, period=10, failures=3),
        "lifecycle": {"preStop": {"httpGet": _drained(envoy)}},
        "volumeMounts": [{"name": "config", "mountPath": CONFIG_PATH, "readOnly": True}],
    }


def _probe(path: str, *, period: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": path, "port": "stats"},
        "periodSeconds": period,
        "timeoutSeconds": min(period, 5),
        "failureThreshold": failures,
    }


def _drained(envoy: RouterSettings) -> Manifest:
    key = {"name": KEY_HEADER, "value": envoy.drain_key}
    return {"path": DRAIN_PATH, "port": "stats", "httpHeaders": [key]}
