"""Pods on two nodes that want a claim for one, on the real API server: the set and the service say it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.resources import model_set, whisper_service
from tests.integration import jobs
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

CLAIM = "models-models"
WITHIN = 90.0
GROUP = "whisper.livetranslate.io"
NOTES = {"model": "tiny.en", "variant": "onnx/int8", "model-digest": "d", "models-claim": CLAIM}


def volume(name: str, namespace: str) -> dict[str, Any]:
    """One that is bound to the set's claim and to no other."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "20Gi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "at-first-use",
            "persistentVolumeReclaimPolicy": "Delete",
            "hostPath": {"path": "/nowhere"},
            "claimRef": {"name": CLAIM, "namespace": namespace},
        },
    }


def runtime_pod(name: str, node: str) -> dict[str, Any]:
    """A pod of the service's runtime that the scheduler has placed."""
    labels = {"app.kubernetes.io/managed-by": "whisper-operator", "app.kubernetes.io/component": "cpu"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "labels": labels | {f"{GROUP}/service": "speech"},
            "annotations": {f"{GROUP}/{key}": value for key, value in NOTES.items()},
        },
        "spec": {"nodeName": node, "containers": [{"name": "cpu", "image": "x"}]},
    }


def complaint(pod: dict[str, Any]) -> dict[str, Any]:
    """What Kubernetes says of a pod whose volume another node has."""
    meta = pod["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{meta['name']}.hangs"},
        "type": "Warning",
        "reason": "FailedAttachVolume",
        "message": 'Multi-Attach error for volume "pv" Volume is already exclusively attached to one node',
        "involvedObject": {"kind": "Pod", "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]},
        "lastTimestamp": meta["creationTimestamp"],
    }


def node(name: str) -> dict[str, Any]:
    """One on which nothing runs: pods of nodes that are not there are taken away."""
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": {"unschedulable": True}}


@pytest.fixture
def nodes(place: Kubectl, api_server: Kubectl) -> Iterator[list[str]]:
    names = [f"{number}-{place.namespace}" for number in ("first", "second")]
    api_server.apply([node(name) for name in names])
    yield names
    api_server.run("delete", "node", *names)


@pytest.fixture
def bound(place: Kubectl, api_server: Kubectl) -> Iterator[Kubectl]:
    """A set that is ready, on a claim that is bound."""
    place.run("label", "namespace", str(place.namespace), "pod-security.kubernetes.io/enforce-")
    place.apply([model_set(), whisper_service()])
    wait_until(lambda: place.items("pvc"), within=WITHIN, what="the claim is made")
    api_server.apply([volume(f"pv-{place.namespace}", str(place.namespace))])
    wait_until(lambda: place.get("pvc", CLAIM)["status"]["phase"] == "Bound", within=WITHIN, what="the claim is bound")
    jobs.succeed_all(place)
    place.wait_condition("mset", "models", "Ready", within=WITHIN)
    yield place
    api_server.run("delete", "pv", f"pv-{place.namespace}", "--wait=false")


def test_it_is_named_by_set_and_service_until_the_pods_are_on_one_node(bound: Kubectl, nodes: list[str]) -> None:
    bound.apply([runtime_pod("first", nodes[0]), runtime_pod("second", nodes[1])])
    bound.apply([complaint(bound.get("pod", "second"))])

    def reason(condition: str) -> str:
        return str(bound.condition("mset", "models", condition).get("reason", ""))

    wait_until(lambda: reason("StorageReady") == "VolumeNotShareable", within=WITHIN, what="the set says it")
    assert f"{nodes[0]}: first; {nodes[1]}: second" in bound.condition("mset", "models", "StorageReady")["message"]

    def told() -> str:
        return str(bound.get("wsvc", "speech")["status"]["runtimes"][0].get("reason"))

    wait_until(lambda: told() == "VolumeNotShareable", within=WITHIN, what="the service says it, too")

    bound.run("delete", "pod", "second", "--force")
    wait_until(lambda: reason("StorageReady") == "ClaimBound", within=WITHIN, what="it is over")
