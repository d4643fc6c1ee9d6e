"""Small custom resources for the tests, with what a case changes as arguments."""

from typing import Any

API = "whisper.livetranslate.io/v1alpha1"


def model_set(name: str = "models", *, model: str = "tiny.en", **spec: Any) -> dict[str, Any]:
    variants = [{"format": "onnx", "precision": "int8"}]
    return {
        "apiVersion": API,
        "kind": "ModelSet",
        "metadata": {"name": name},
        "spec": {"models": [{"name": model, "variants": variants}], **spec},
    }


def whisper_service(
    name: str = "speech", *, models: str = "models", model: str = "tiny.en", **spec: Any
) -> dict[str, Any]:
    return {
        "apiVersion": API,
        "kind": "WhisperService",
        "metadata": {"name": name},
        "spec": {"modelSetRef": {"name": models}, "model": model, "runtimes": {"cpu": {"replicas": 1}}, **spec},
    }


def reader_pod(name: str, image: str, claim: str, *command: str) -> dict[str, Any]:
    """A pod that runs one command and sees a claim's models, as a runtime would."""
    container = {
        "name": "reader",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": [*command],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "models", "mountPath": "/models", "readOnly": True}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": [{"name": "models", "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}],
        },
    }
