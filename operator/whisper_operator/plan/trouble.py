"""Why a pod does not run, in one word and one sentence, from what Kubernetes says about it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from whisper_operator.api.conditions import Reason
from whisper_operator.plan.pods import is_ready
from whisper_operator.plan.types import Manifest

PULL_REASONS = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
# Waiting for these is the ordinary way of a pod.
ORDINARY_WAITS = frozenset({"ContainerCreating", "PodInitializing"})


REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
# kube-scheduler's words: `0/3 nodes are available: 1 node(s) had untolerated taint {…}, 2 node(s) didn't match …`.
TOTAL = re.compile(r"0/(\d+) nodes are available: ")
FOR_ITS_LABELS = "node(s) didn't match Pod's node affinity/selector"
TAKES_NONE = ("node(s) had untolerated taint", "node(s) were unschedulable")
LEFT_OUT = re.compile(rf"(\d+) (?:{'|'.join(map(re.escape, (FOR_ITS_LABELS, *TAKES_NONE)))})")


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


def unresponsive(pods: Iterable[Manifest]) -> tuple[str, ...]:
    """Pods that have started and are not ready any more: they run, and do not answer their probes."""
    return tuple(sorted(str(pod["metadata"]["name"]) for pod in pods if _has_started(pod) and not is_ready(pod)))


def _has_started(pod: Manifest) -> bool:
    containers = (pod.get("status") or {}).get("containerStatuses") or ()
    runs = bool(containers) and all(one.get("started") and "running" in (one.get("state") or {}) for one in containers)
    return runs and not pod["metadata"].get("deletionTimestamp")


def waits_on_a_node(pod: Manifest) -> bool:
    """Whether a pod was placed and its containers have not begun."""
    placed = (pod.get("spec") or {}).get("nodeName")
    return bool(placed) and (pod.get("status") or {}).get("phase") == "Pending"


def _troubles(pod: Manifest) -> Iterator[Trouble]:
    status, name = pod.get("status") or {}, pod["metadata"]["name"]
    if status.get("reason") == "Evicted":
        yield Trouble(Reason.EVICTED, f"Pod {name} was evicted: {status.get('message', '')}")
    for container in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        if (found := _of_container(name, container)) is not None:
            yield found
    for condition in (status.get("conditions") or ()) if status.get("phase") == "Pending" else ():
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "Unschedulable":
            yield _unplaced(pod, str(condition.get("message", "")))


def _unplaced(pod: Manifest, says: str) -> Trouble:
    """What the scheduler says; nodes themselves are not ours to read."""
    name = pod["metadata"]["name"]
    if _no_node_matches(says):
        return Trouble(
            Reason.NO_MATCHING_NODE,
            f"No node that takes pods has the labels that {name} asks for ({_labels_of(pod)}): label one, or change "
            f"its placement. The scheduler says: {says}",
        )
    return Trouble(Reason.UNSCHEDULABLE, f"No node takes pod {name}: {says}")


def _no_node_matches(says: str) -> bool:
    """Whether every node that takes pods was left out for its labels: the scheduler names one cause for each node."""
    total, left_out = TOTAL.match(says), sum(int(count) for count in LEFT_OUT.findall(says.partition(". ")[0]))
    return total is not None and FOR_ITS_LABELS in says and left_out == int(total[1])


def _labels_of(pod: Manifest) -> str:
    """Each choice that a pod leaves, as a person would write it for `kubectl get nodes -l`."""
    spec = pod.get("spec") or {}
    always = [f"{key}={value}" for key, value in (spec.get("nodeSelector") or {}).items()]
    affinity = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(REQUIRED) or {}
    terms: list[Manifest] = affinity.get("nodeSelectorTerms") or [{}]
    choices = [[_requirement(one) for one in term.get("matchExpressions") or ()] for term in terms]
    return " or ".join(", ".join([*always, *choice]) for choice in choices)


def _requirement(one: Mapping[str, Any]) -> str:
    key, values = one.get("key"), ", ".join(one.get("values") or ())
    if one.get("operator") == "In" and len(one.get("values") or ()) == 1:
        return f"{key}={values}"
    return f"{key} {one.get('operator')} ({values})" if values else f"{key} {one.get('operator')}"


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
