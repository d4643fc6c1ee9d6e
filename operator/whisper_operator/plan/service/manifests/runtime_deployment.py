"""The pods of one runtime. Made once there is a model to serve, so that no pod waits in a crash loop for it."""

from datetime import timedelta

from whisper_operator.api.whisperservice import EffectiveRuntime
from whisper_operator.plan import names
from whisper_operator.plan.ownership import RUNTIME_LABEL, labels, metadata, selector
from whisper_operator.plan.service.effective import length, whole_bytes
from whisper_operator.plan.service.manifests import security
from whisper_operator.plan.service.manifests.spread import across_nodes, rolling
from whisper_operator.plan.service.models import Artifact
from whisper_operator.plan.service.target import PORTS, Target
from whisper_operator.plan.types import Manifest

MODELS_PATH = "/models"
SCRATCH_SIZE = "2Gi"
LONGEST_DRAIN = timedelta(minutes=5)
# Between the end of draining and the kernel's SIGKILL.
GRACE = timedelta(seconds=15)
# A large model is read, and its canary transcribed, before the pod has started: ten minutes.
STARTUP_PERIOD, STARTUP_FAILURES = 2, 300


def runtime_deployment(target: Target, runtime: EffectiveRuntime) -> Manifest | None:
    """The Deployment of a runtime, or None while there is no model for it."""
    artifact = target.artifacts.get(runtime.name)
    if artifact is None:
        return None
    app, chosen = f"whisper-{runtime.name}", selector(target.service, runtime.name)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(target.service, names.runtime(target.name, runtime.name), app, runtime.name),
        "spec": {
            "replicas": runtime.replicas,
            "revisionHistoryLimit": 2,
            "selector": {"matchLabels": chosen},
            "strategy": rolling(),
            "template": {
                "metadata": {
                    "labels": labels(target.service, app, runtime.name) | {RUNTIME_LABEL: runtime.name},
                    # What it serves: a new digest rolls the pods, and a pod tells it when the ModelSet is gone.
                    "annotations": artifact.annotations(),
                },
                "spec": _pod_spec(target, runtime, artifact),
            },
        },
    }


def _pod_spec(target: Target, runtime: EffectiveRuntime, artifact: Artifact) -> Manifest:
    grace = _drain_time(target) + GRACE
    return {
        **security.pod(target.defaults),
        "terminationGracePeriodSeconds": round(grace.total_seconds()),
        "topologySpreadConstraints": across_nodes(selector(target.service, runtime.name)),
        **_placed(target, runtime),
        "containers": [_container(target, runtime, artifact)],
        "volumes": [
            {"name": "models", "persistentVolumeClaim": {"claimName": artifact.claim, "readOnly": True}},
            {"name": "tmp", "emptyDir": {"sizeLimit": SCRATCH_SIZE}},
        ],
    }


def _placed(target: Target, runtime: EffectiveRuntime) -> Manifest:
    placement = target.placement(runtime)
    return {} if placement is None else placement.dump()


def _container(target: Target, runtime: EffectiveRuntime, artifact: Artifact) -> Manifest:
    asked = [variable.dump() for variable in target.env(runtime)]
    return {
        "name": runtime.name,
        "image": runtime.image,
        "imagePullPolicy": target.defaults.images.pull_policy,
        "args": _arguments(target, runtime, artifact),
        "env": [{"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}, *asked],
        "ports": [{"name": "http", "containerPort": PORTS[runtime.name], "protocol": "TCP"}],
        "resources": runtime.resources.dump(),
        "securityContext": security.container(),
        **_probes(),
        "volumeMounts": [
            {"name": "models", "mountPath": MODELS_PATH, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - an emptyDir of this pod alone
        ],
    }


def _arguments(target: Target, runtime: EffectiveRuntime, artifact: Artifact) -> list[str]:
    options = {
        "models": MODELS_PATH,
        "model": artifact.model,
        "precision": artifact.precision,
        # Whatever the runtime serves, it answers to the name that the service offers.
        "served-model-name": target.service.spec.model,
        "host": "0.0.0.0",  # noqa: S104 - a pod's port is for the whole cluster
        "port": PORTS[runtime.name],
        "max-upload-bytes": whole_bytes(target.effective.routing.max_upload_size),
        "max-queue-seconds": runtime.max_queued_audio_seconds,
        "drain-seconds": round(_drain_time(target).total_seconds()),
    }
    return ["serve", *(f"--{name}={value}" for name, value in options.items())]


def _drain_time(target: Target) -> timedelta:
    """No request takes longer than the router lets it, and nobody waits longer than five minutes for a pod to go."""
    return min(length(target.effective.routing.request_timeout), LONGEST_DRAIN)


def _probes() -> Manifest:
    return {
        "startupProbe": _probe("/startupz", period=STARTUP_PERIOD, failures=STARTUP_FAILURES),
        "readinessProbe": _probe("/readyz", period=2, failures=2),
        # Patient: a pod that is only slow must not be killed for it.
        "livenessProbe": _probe("/livez", period=10, failures=3),
    }


def _probe(path: str, *, period: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": path, "port": "http"},
        "periodSeconds": period,
        "timeoutSeconds": min(period, 5),
        "failureThreshold": failures,
    }
