"""What a pod's status says of it."""

from whisper_operator.plan.types import Manifest


def is_ready(pod: Manifest) -> bool:
    """Whether Kubernetes sends requests to it."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def running_at(pod: Manifest) -> str | None:
    """Its address, if it runs."""
    status = pod.get("status") or {}
    if status.get("phase") != "Running" or pod["metadata"].get("deletionTimestamp"):
        return None
    return status.get("podIP") or None
