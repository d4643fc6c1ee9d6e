"""Pods that do what a test asks of them over HTTP, reached from the host through a NodePort."""

import urllib.error
import urllib.request
from typing import Any

from tests.e2e.cluster.conftest import PROBE_IMAGE
from tests.support.kubectl import Kubectl

NAMESPACE = "probes"
CLAIM = "shared"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


def manifests(nodes: list[str]) -> list[dict[str, Any]]:
    """A probe on each node, all with the same volume; a Service for each, and one for all."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": RESTRICTED}}
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": CLAIM, "namespace": NAMESPACE},
        "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Mi"}}},
    }
    services = [_service("every", {"probe": "yes"}), *(_service(f"on-{node}", {"on": node}) for node in nodes)]
    return [namespace, claim, *(_pod(node) for node in nodes), *services]


def _pod(node: str) -> dict[str, Any]:
    container = {
        "name": "probe",
        "image": PROBE_IMAGE,
        "imagePullPolicy": "Never",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [{"name": "shared", "mountPath": "/shared"}],
        "readinessProbe": {"httpGet": {"path": "/who", "port": 8080}, "periodSeconds": 1},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"probe-{node}", "namespace": NAMESPACE, "labels": {"probe": "yes", "on": node}},
        "spec": {
            "nodeSelector": {"kubernetes.io/hostname": node},
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container],
            "volumes": [{"name": "shared", "persistentVolumeClaim": {"claimName": CLAIM}}],
        },
    }


def _service(name: str, selector: dict[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"type": "NodePort", "selector": selector, "ports": [{"port": 80, "targetPort": 8080}]},
    }


def url(kubectl: Kubectl, service: str, address: str) -> str:
    """The Service at the address of a node, whichever node its pod is on."""
    port = kubectl.get("service", service)["spec"]["ports"][0]["nodePort"]
    return f"http://{address}:{port}"


def ask(address: str, body: bytes | None = None) -> str:
    """GET, or PUT where there is a body; a dead node is an OSError."""
    request = urllib.request.Request(address, data=body, method="GET" if body is None else "PUT")
    try:
        with urllib.request.urlopen(request, timeout=3) as answer:
            text: str = answer.read().decode()
            return text
    except urllib.error.HTTPError as refusal:
        with refusal:
            raise OSError(f"{refusal.code}: {refusal.read().decode()}") from None
