"""Why a pod does not run, in one word and one sentence, from what Kubernetes says about it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from whisper_operator.api.conditions import Reason
from whisper_operator.plan.types import Manifest

PULL_REASONS = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
# Waiting for these is the ordinary way of a pod.
ORDINARY_WAITS = frozenset({"ContainerCreating", "PodInitializing"})


@dataclass(frozen=True, slots=True)
class Trouble:
    """What stands in a pod's way."""

    reason: Reason
    message: str


def trouble(pods: Iterable[Manifest]) -> Trouble | None:
    """The first trouble among these pods, those that are going left out."""
    staying = (pod for pod in pods if not pod["metadata"].get("deletionTimestamp"))
    ordered = sorted(staying, key=lambda pod: str(pod["metadata"]["name"]))
    return next((found for pod in ordered for found in _troubles(pod)), None)


def waits_on_a_node(pod: Manifest) -> bool:
    """Whether a pod was placed and its containers have not begun."""
    placed = (pod.get("spec") or {}).get("nodeName")
    return bool(placed) and (pod.get("status") or {}).get("phase") == "Pending"


def _troubles(pod: Manifest) -> Iterator[Trouble]:
    status, name = pod.get("status") or {}, pod["metadata"]["name"]
    if status.get("reason") == "Evicted":
        yield Trouble(Reason.EVICTED, f"Pod {name} was evicted: {status.get('message', '')}")
    for container in status.get("containerStatuses") or ():
        if (found := _of_container(name, container)) is not None:
            yield found
    for condition in (status.get("conditions") or ()) if status.get("phase") == "Pending" else ():
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "Unschedulable":
            yield Trouble(Reason.UNSCHEDULABLE, f"No node takes pod {name}: {condition.get('message', '')}")


def _of_container(pod: str, container: Mapping[str, Any]) -> Trouble | None:
    waiting = (container.get("state") or {}).get("waiting") or {}
    why, says = waiting.get("reason", ""), waiting.get("message", "")
    if why in PULL_REASONS:
        return Trouble(Reason.IMAGE_PULL_FAILED, f"Pod {pod} cannot pull {container.get('image')}: {says or why}")
    ended = _last_end(container)
    if ended and not container.get("ready"):
        return _of_end(pod, ended)
    if why and why not in ORDINARY_WAITS:
        return Trouble(Reason.CONTAINER_FAILED, f"Pod {pod} cannot start: {says or why}")
    return None


def _last_end(container: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """How the container ended the last time, if it did not end well."""
    for state in (container.get("state"), container.get("lastState")):
        ended: Mapping[str, Any] = (state or {}).get("terminated") or {}
        if ended.get("exitCode"):
            return ended
    return None


def _of_end(pod: str, ended: Mapping[str, Any]) -> Trouble:
    if ended.get("reason") == "OOMKilled":
        return Trouble(
            Reason.OUT_OF_MEMORY, f"Pod {pod} used more memory than its limit: raise resources.limits.memory"
        )
    if str(ended.get("message") or "").startswith(Reason.CHECKSUM_MISMATCH):
        return Trouble(Reason.CHECKSUM_MISMATCH, f"Pod {pod} does not serve what it read: {ended['message']}")
    says = (
        str(ended.get("message") or "").strip() or f"exit code {ended['exitCode']}; `kubectl logs {pod} -p` tells more"
    )
    return Trouble(Reason.CONTAINER_FAILED, f"Pod {pod} ended: {says}")
