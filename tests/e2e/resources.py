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
