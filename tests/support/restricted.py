"""What every pod of ours keeps to: Kubernetes' restricted profile, and what that profile does not ask for."""

from collections.abc import Iterator
from typing import Any

Spec = dict[str, Any]
VOLUMES = {"configMap", "emptyDir", "persistentVolumeClaim", "projected", "secret"}


def violations(pod: Spec, *, may_hold_token: bool = False) -> list[str]:
    """Each rule that a pod's spec breaks, in words; `may_hold_token` for the operator alone."""
    return [*_of_the_pod(pod, may_hold_token=may_hold_token), *_of_containers(pod)]


def _of_the_pod(pod: Spec, *, may_hold_token: bool) -> Iterator[str]:
    context = pod.get("securityContext", {})
    if not context.get("runAsNonRoot") or not context.get("runAsUser"):
        yield "may run as root"
    if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "no seccomp profile"
    yield from (f"{field} is set" for field in ("hostNetwork", "hostPID", "hostIPC") if pod.get(field))
    if not may_hold_token and pod.get("automountServiceAccountToken") is not False:
        yield "gets a service account's token"
    if pod.get("enableServiceLinks") is not False:
        yield "gets variables of every Service"
    for volume in pod.get("volumes", []):
        if kinds := set(volume) - {"name"} - VOLUMES:
            yield f"volume {volume['name']} is {kinds}"


def _of_containers(pod: Spec) -> Iterator[str]:
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for container in pod.get(kind, []):
            yield from (f"{container['name']}: {rule}" for rule in _of_one(container))


def _of_one(container: Spec) -> Iterator[str]:
    context = container.get("securityContext", {})
    if context.get("capabilities") != {"drop": ["ALL"]}:
        yield "has capabilities"
    if context.get("allowPrivilegeEscalation") is not False or context.get("privileged"):
        yield "may gain privileges"
    if context.get("readOnlyRootFilesystem") is not True:
        yield "may write its root file system"
    if {"runAsUser", "runAsNonRoot", "seccompProfile"} & set(context):
        yield "differs from its pod"
    if "memory" not in container.get("resources", {}).get("limits", {}):
        yield "has no limit of memory"
    yield from (
        f"takes port {port['hostPort']} of the node" for port in container.get("ports", []) if "hostPort" in port
    )
