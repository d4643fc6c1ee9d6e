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


def rolling(*, on_devices: bool = False) -> Manifest:
    """A new pod is ready before an old one goes; not where it waits for the device that the old one holds."""
    surge, missing = (0, 1) if on_devices else (1, 0)
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": missing}}
