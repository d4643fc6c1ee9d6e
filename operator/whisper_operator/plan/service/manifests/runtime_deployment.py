"""The pods of one runtime. Made once there is a model to serve, so that no pod waits in a crash loop for it."""

from datetime import timedelta

from whisper_operator.api.whisperservice import EffectiveRuntime
from whisper_operator.plan import names, security
from whisper_operator.plan.ownership import RUNTIME_LABEL, labels, metadata, selector
from whisper_operator.plan.service.effective import whole_bytes
from whisper_operator.plan.service.manifests.router_config_map import settings
from whisper_operator.plan.service.manifests.spread import across_nodes, rolling
from whisper_operator.plan.service.models import Artifact
from whisper_operator.plan.service.target import PORTS, Target
from whisper_operator.plan.types import Manifest

MODELS_PATH = "/models"
SCRATCH_SIZE = "2Gi"
# Between the end of draining and the kernel's SIGKILL.
GRACE = timedelta(seconds=15)
# A process that hangs finishes nothing: what it holds goes to another pod as soon as it has ended.
HUNG_GRACE = 2
# A pod that is ready counts as there once every router knows it: as kubeadm sets it up, CoreDNS keeps an answer for
# 30 s, and the router asks every two. If an old pod went earlier, the router could be left with nobody it knows.
KNOWN_AFTER = timedelta(seconds=35)
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
            "minReadySeconds": _whole_seconds(KNOWN_AFTER),
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
    grace = settings(target).drain_timeout + GRACE
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
        **({"env": asked} if asked else {}),
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
        "max-queue-seconds": runtime.max_queued_audio_seconds,
        "request-seconds": f"{settings(target).runtime_timeout.total_seconds():g}",
        "drain-seconds": _whole_seconds(settings(target).drain_timeout),
        **_upload_limit(target),
    }
    return ["serve", *(f"--{name}={value}" for name, value in options.items())]


def _upload_limit(target: Target) -> dict[str, int]:
    """One that the user chose is every endpoint's; by default each has its own, and the router's is the largest."""
    routing = target.service.spec.routing
    if routing is None or routing.max_upload_size is None:
        return {}
    return dict.fromkeys(("max-upload-bytes", "openai-upload-bytes"), whole_bytes(routing.max_upload_size))


def _whole_seconds(span: timedelta) -> int:
    return max(1, round(span.total_seconds()))


def _probes() -> Manifest:
    return {
        "startupProbe": _probe("/startupz", period=STARTUP_PERIOD, failures=STARTUP_FAILURES),
        "readinessProbe": _probe("/readyz", period=2, failures=2),
        # Answered from memory by the event loop, which has a thread of its own beside the engine's. One late answer
        # does not matter; twenty seconds without one is a process that hangs, and requests that wait for it.
        "livenessProbe": _probe("/livez", period=5, failures=4) | {"terminationGracePeriodSeconds": HUNG_GRACE},
    }


def _probe(path: str, *, period: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": path, "port": "http"},
        "periodSeconds": period,
        "timeoutSeconds": min(period, 5),
        "failureThreshold": failures,
    }
