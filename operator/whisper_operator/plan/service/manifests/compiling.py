"""Runtimes that compile their model for a device do so before the pod serves, and keep that for its restarts."""

from collections.abc import Mapping

from whisper_operator.api.whisperservice import EffectiveRuntime
from whisper_operator.plan.service.models import Artifact
from whisper_operator.plan.types import Manifest

MODELS_PATH = "/models"
COMPILED_PATH = "/compiled"
# The runtime keeps to the first number, the kubelet puts a pod out that is beyond the second.
COMPILED_BYTES, COMPILED_SIZE = 8 << 30, "10Gi"
COMPILED_VOLUME: Manifest = {"name": "compiled", "emptyDir": {"sizeLimit": COMPILED_SIZE}}
COMPILED_MOUNT: Manifest = {"name": "compiled", "mountPath": COMPILED_PATH}
OF_SERVING = frozenset({"name", "args", "ports", "startupProbe", "readinessProbe", "livenessProbe"})


def compiling(serving: Manifest, runtime: EffectiveRuntime, artifact: Artifact) -> Manifest:
    """The container that compiles ahead of the one that serves, with the same devices and rights.

    No probe bounds it: the runtime itself gives up on each device after a while.
    """
    shared = {name: value for name, value in serving.items() if name not in OF_SERVING}
    return {
        "name": "compile",
        "args": ["compile", *flags(model_options(runtime, artifact))],
        # Why no device works goes to status as well.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        **shared,
    }


def model_options(runtime: EffectiveRuntime, artifact: Artifact) -> dict[str, object]:
    """What is loaded, and for which devices: compiling and serving must agree on it."""
    return {
        "models": MODELS_PATH,
        "model": artifact.model,
        "precision": artifact.precision,
        **(_compiled(runtime.device_order) if runtime.device_order else {}),
    }


def _compiled(order: tuple[str, ...]) -> dict[str, object]:
    return {
        "device-order": ",".join(order),
        "compile-cache": COMPILED_PATH,
        "compile-cache-bytes": COMPILED_BYTES,
    }


def flags(options: Mapping[str, object]) -> list[str]:
    """Options as the runtimes' command line takes them."""
    return [f"--{name}={value}" for name, value in options.items()]
