"""Pods of one kind on different nodes where there are several; on a single node all the same."""

from whisper_operator.plan.types import Manifest


def across_nodes(selector: dict[str, str]) -> list[Manifest]:
    """Even, as far as the nodes allow it."""
    return [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": selector},
            # Each rollout by itself: where old pods count, the new ones often end up on the same node.
            "matchLabelKeys": ["pod-template-hash"],
        }
    ]


def rolling() -> Manifest:
    """A new pod is ready before an old one goes."""
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
