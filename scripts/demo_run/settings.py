"""Everything that the environment decides about the demo, read once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from scripts.image_build.settings import REPOSITORY

NAMESPACE = "whisper-demo"
OPERATOR_NAMESPACE = "whisper-system"
RELEASE = "whisper-operator"
CHART = REPOSITORY / "charts" / "whisper-operator"
QUICKSTART = REPOSITORY / "examples" / "quickstart.yaml"
CLIP = REPOSITORY / "tests" / "support" / "audio" / "jfk.wav"
HUB_MANIFEST = REPOSITORY / "tests" / "support" / "hub" / "hub.yaml"


@dataclass(frozen=True, slots=True)
class Settings:
    """What was asked for."""

    nodes: int
    """Nodes of a cluster that the demo makes."""
    hub: str
    """`auto`: the public model hub where pods reach it, else the test hub. `public`, `test`, or an address."""
    registry: str | None
    """Where images are pushed for a cluster that they cannot be loaded into."""


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from NODES, HUB and REGISTRY; raises ValueError saying what is wrong."""
    nodes, hub = environment.get("NODES") or "2", environment.get("HUB") or "auto"
    if not nodes.isdecimal() or int(nodes) < 1:
        raise ValueError(f"NODES={nodes} is not a number of nodes: use 1 or more")
    if hub not in ("auto", "public", "test") and not hub.startswith(("http://", "https://")):
        raise ValueError(f"HUB={hub} is not known: use auto, public, test, or an address that starts with https://")
    return Settings(nodes=int(nodes), hub=hub, registry=environment.get("REGISTRY") or None)
