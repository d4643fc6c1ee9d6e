"""The pods of one runtime. Made once there is a model to serve, so that no pod waits in a crash loop for it."""

from collections.abc import Iterable
from datetime import timedelta

from whisper_operator.api.schema import Part
from whisper_operator.api.whisperservice import EffectiveRuntime
from whisper_operator.plan import names, security
from whisper_operator.plan.ownership import RUNTIME_LABEL, labels, metadata, selector
from whisper_operator.plan.service.effective import placement_of, whole_bytes
from whisper_operator.plan.service.manifests.compiling import (
    COMPILED_MOUNT,
    COMPILED_VOLUME,
    MODELS_PATH,
    compiling,
    flags,
    model_options,
)
from whisper_operator.plan.service.manifests.router_config_map import settings
from whisper_operator.plan.service.manifests.spread import across_nodes, rolling
from whisper_operator.plan.service.models import Artifact
from whisper_operator.plan.service.runtimes import RUNTIMES
from whisper_operator.plan.service.target import Target
from whisper_operator.plan.types import Manifest

# Uploads, hours of decoded audio, and the files of jobs: a runtime's own bounds on them add up to 3.5 GiB.
SCRATCH_SIZE = "4Gi"
# Between the end of draining and the kernel's SIGKILL.
GRACE = timedelta(seconds=15)
# A process that hangs finishes nothing: what it holds goes to another pod as soon as it has ended.
HUNG_GRACE = 2
# A pod that is ready counts as there once every router knows it: as kubeadm sets it up, CoreDNS keeps an answer for
# 30 s, and the router asks every two. If an old pod went earlier, the router could be left with nobody it knows.
KNOWN_AFTER = timedelta(seconds=35)
STARTUP_PERIOD = timedelta(seconds=2)


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
            "strategy": rolling(on_devices=bool(runtime.devices)),
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
    container = _container(target, runtime, artifact)
    return {
        **_may(target, runtime),
        "terminationGracePeriodSeconds": round(grace.total_seconds()),
        "topologySpreadConstraints": across_nodes(selector(target.service, runtime.name)),
        **_placed(target, runtime),
        **({"initContainers": [compiling(container, runtime, artifact)]} if runtime.device_order else {}),
        "containers": [container],
        "volumes": [
            {"name": "models", "persistentVolumeClaim": {"claimName": artifact.claim, "readOnly": True}},
            {"name": "tmp", "emptyDir": {"sizeLimit": SCRATCH_SIZE}},
            *([COMPILED_VOLUME] if runtime.device_order else []),
        ],
    }


def _may(target: Target, runtime: EffectiveRuntime) -> Manifest:
    """What the pod may do, and by which secrets and runtime class."""
    asked = target.asked(runtime)
    groups = {"supplementalGroups": list(asked.supplemental_groups)} if asked.supplemental_groups else {}
    found = security.pod(target.defaults, groups)
    if asked.image_pull_secrets:
        ours = found.get("imagePullSecrets", [])
        found["imagePullSecrets"] = ours + [one for one in _dumped(asked.image_pull_secrets) if one not in ours]
    if asked.runtime_class_name is not None:
        found["runtimeClassName"] = asked.runtime_class_name
    return found


def _dumped(parts: Iterable[Part]) -> list[Manifest]:
    return [part.dump() for part in parts]


def _placed(target: Target, runtime: EffectiveRuntime) -> Manifest:
    placement = placement_of(runtime.name, target.asked(runtime))
    return {} if placement is None else placement.dump()


def _container(target: Target, runtime: EffectiveRuntime, artifact: Artifact) -> Manifest:
    asked = _dumped(target.asked(runtime).env or ())
    return {
        "name": runtime.name,
        "image": runtime.image,
        "imagePullPolicy": target.defaults.images.pull_policy,
        "args": _arguments(target, runtime, artifact),
        **({"env": asked} if asked else {}),
        "ports": [{"name": "http", "containerPort": RUNTIMES[runtime.name].port, "protocol": "TCP"}],
        "resources": runtime.resources.dump(),
        "securityContext": security.container(),
        **_probes(RUNTIMES[runtime.name].starts_within),
        "volumeMounts": [
            {"name": "models", "mountPath": MODELS_PATH, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - an emptyDir of this pod alone
            *([COMPILED_MOUNT] if runtime.device_order else []),
        ],
    }


def _arguments(target: Target, runtime: EffectiveRuntime, artifact: Artifact) -> list[str]:
    concurrency = target.asked(runtime).concurrency
    options = {
        **model_options(runtime, artifact),
        # Whatever the runtime serves, it answers to the name that the service offers.
        "served-model-name": target.service.spec.model,
        "host": "0.0.0.0",  # noqa: S104 - a pod's port is for the whole cluster
        "port": RUNTIMES[runtime.name].port,
        "max-queue-seconds": runtime.max_queued_audio_seconds,
        "request-seconds": f"{settings(target).runtime_timeout.total_seconds():g}",
        "drain-seconds": _whole_seconds(settings(target).drain_timeout),
        **_upload_limit(target),
        **({"workers": concurrency} if concurrency else {}),
    }
    return ["serve", *flags(options)]


def _upload_limit(target: Target) -> dict[str, int]:
    """One that the user chose is every endpoint's; by default each has its own, and the router's is the largest."""
    routing = target.service.spec.routing
    if routing is None or routing.max_upload_size is None:
        return {}
    return dict.fromkeys(("max-upload-bytes", "openai-upload-bytes"), whole_bytes(routing.max_upload_size))


def _whole_seconds(span: timedelta) -> int:
    return max(1, round(span.total_seconds()))


def _probes(starts_within: timedelta) -> Manifest:
    period, failures = _whole_seconds(STARTUP_PERIOD), round(starts_within / STARTUP_PERIOD)
    return {
        "startupProbe": _probe("/startupz", period=period, failures=failures),
        # The routers' own probes are the quick ones; what Kubernetes takes out of DNS, no router can send to at all.
        "readinessProbe": _probe("/readyz", period=2, failures=5),
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
