"""The test hub in a pod: real weights behind the Hub's protocol, and faults on demand."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from scripts.demo_run.hub import IMAGE_LINE
from scripts.demo_run.settings import HUB_MANIFEST
from tests.support.kubectl import Kubectl

PORT = 8081
NOT_FOUND = {"kind": "status", "path": "/api/models/*", "status": 404}
GATED = {"kind": "status", "path": "*model.safetensors", "status": 403, "code": "GatedRepo"}
CORRUPT = {"kind": "corrupt", "path": "*model.safetensors", "after": 4096}


@dataclass(frozen=True)
class Hub:
    """One hub and its two addresses."""

    kubectl: Kubectl
    local_url: str

    @property
    def cluster_url(self) -> str:
        return f"http://hub.{self.kubectl.namespace}.svc:{PORT}"

    def fault(self, *faults: dict[str, Any]) -> None:
        """Exactly these faults from now on; none mends it."""
        httpx.post(f"{self.local_url}/_faults", json=list(faults), timeout=60).raise_for_status()

    def asked_from(self, name: str) -> list[int]:
        """For each time that a file's bytes were asked for: from which on."""
        asked = httpx.get(f"{self.local_url}/_requests", timeout=60).raise_for_status().json()
        told = [entry for entry in asked if entry["method"] == "GET" and entry["path"].startswith("/_stored")]
        ranges = [entry["range"] or "bytes=0-" for entry in told if entry["path"].endswith(f"/{name}")]
        return [int(each.removeprefix("bytes=").split("-")[0]) for each in ranges]

    def leave(self) -> None:
        """No pod answers any more; faults can no longer be set."""
        self._scale(0)

    def come_back(self) -> None:
        """A pod answers again, without faults."""
        self._scale(1)

    def _scale(self, replicas: int) -> None:
        self.kubectl.run("scale", "deployment/hub", f"--replicas={replicas}")
        self.kubectl.run("rollout", "status", "deployment/hub", "--timeout=180s", timeout=200)


@contextmanager
def deployed(kubectl: Kubectl, image: str, node: str | None = None) -> Iterator[Hub]:
    """A hub in the namespace, ready, for as long as the block lasts; on that node, if the others may be lost."""
    kubectl.apply(HUB_MANIFEST.read_text().replace(IMAGE_LINE, f"image: {image}"))
    if node:
        pinned = {"spec": {"template": {"spec": {"nodeSelector": {"kubernetes.io/hostname": node}}}}}
        kubectl.run("patch", "deployment", "hub", "-p", json.dumps(pinned))
    kubectl.run("rollout", "status", "deployment/hub", "--timeout=180s", timeout=200)
    with kubectl.forwarded("deployment/hub", PORT) as local:
        yield Hub(kubectl, local)
