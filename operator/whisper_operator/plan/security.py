"""What every pod of ours has in common: Kubernetes' restricted Pod Security, and nothing that it does not need."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from whisper_operator.plan.types import Defaults, Manifest

USER = 65532
"""Nobody in particular, and not root: the user of our images and of Envoy's distroless ones."""


NOTHING: Mapping[str, Any] = MappingProxyType({})


def pod(defaults: Defaults, context: Mapping[str, Any] = NOTHING) -> Manifest:
    """Fields of a pod's spec; `context` is what its securityContext says besides."""
    found: Manifest = {
        # Nothing of ours in a pod talks to the API server.
        "automountServiceAccountToken": False,
        # Kubernetes would set WHISPER_PORT=tcp://… in every pod beside a Service named `whisper`.
        "enableServiceLinks": False,
        # Process 1 ignores every signal that it has no handler for yet: a pod deleted in the moment in which it starts
        # would stay for all of its grace period, and be found healthy meanwhile. With this, ours is not process 1.
        "shareProcessNamespace": True,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            **context,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    if defaults.images.pull_secrets:
        found["imagePullSecrets"] = [{"name": name} for name in defaults.images.pull_secrets]
    return found


def container() -> Manifest:
    """The securityContext of a container."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
