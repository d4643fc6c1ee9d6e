"""A claim that one node only can mount, wanted on several: a pod of the second would hang without saying why."""

from collections.abc import Iterable

from whisper_operator.plan.types import Manifest, ObservedModelSet

ON_MANY = {"ReadWriteMany", "ReadOnlyMany"}
MULTI_ATTACH = "Multi-Attach"
"""In what Kubernetes says of a volume that one node has and that a pod on another waits for."""


def unshareable(observed: ObservedModelSet) -> str | None:
    """Which pods on which nodes want the claim, and what to do; None while none is kept waiting."""
    claim = observed.claim or {}
    waiting = held_up(observed)
    if not is_for_one_node(claim) or not waiting:
        return None
    nodes = placed((*observed.readers, *observed.pods))
    where = "; ".join(f"{node}: {', '.join(sorted(pods))}" for node, pods in sorted(nodes.items()))
    return (
        f"claim {claim['metadata']['name']} can be mounted on one node only, and pods on several want it ({where}): "
        "use a ReadWriteMany claim, or place all of them on one node"
    )


def may_hang(observed: ObservedModelSet) -> bool:
    """Whether a pod is not yet running that wants the claim on another node than others: Events will tell, in time."""
    everyone = (*observed.readers, *observed.pods)
    waiting = any((pod.get("status") or {}).get("phase") == "Pending" for pod in everyone)
    return waiting and is_for_one_node(observed.claim or {}) and len(placed(everyone)) > 1


def held_up(observed: ObservedModelSet) -> list[str]:
    """Pods that wait for a volume which another node has, as Kubernetes says of them."""
    return sorted(
        str(one.get("involvedObject", {}).get("name", ""))
        for one in observed.job_events
        if MULTI_ATTACH in str(one.get("message", ""))
    )


def is_for_one_node(claim: Manifest) -> bool:
    """Whether no access mode of a claim lets several nodes mount it."""
    modes = (claim.get("spec") or {}).get("accessModes") or ()
    return not ON_MANY & set(modes)


def placed(pods: Iterable[Manifest]) -> dict[str, list[str]]:
    """Names of pods that have not ended, by the node that they were placed on."""
    found: dict[str, list[str]] = {}
    for pod in pods:
        node = (pod.get("spec") or {}).get("nodeName")
        if node and (pod.get("status") or {}).get("phase") in ("Pending", "Running"):
            found.setdefault(str(node), []).append(str(pod["metadata"]["name"]))
    return found
