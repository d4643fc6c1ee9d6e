"""An npu before a cpu on the real API server, whose scheduler knows no node with an NPU."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.resources import model_set, whisper_service
from tests.integration import jobs
from tests.integration.operator_process import OperatorProcess
from tests.integration.test_service import rested
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

VARIANTS = [{"format": "openvino", "precision": "int8"}, {"format": "onnx", "precision": "int8"}]
# A node that is there, takes nobody else's pods, and has no NPU. Nothing runs on it.
NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "without-npu"},
    "spec": {"taints": [{"key": "test", "value": "npu", "effect": "NoSchedule"}]},
}
LABEL = {"key": "whisper.livetranslate.io/npu", "operator": "In", "values": ["true"]}
PLACEMENT = {
    "tolerations": [{"operator": "Exists"}],
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [LABEL]}]}
        }
    },
}
EVERY_FIELD = {
    "placement": PLACEMENT,
    "devices": [{"resourceName": "npu.intel.com/accel"}, {"resourceName": "gpu.intel.com/i915", "count": 1}],
    "supplementalGroups": [109],
    "runtimeClassName": "accelerated",
    "imagePullSecrets": [{"name": "registry"}],
    "concurrency": 2,
}
CLASS = {
    "apiVersion": "node.k8s.io/v1",
    "kind": "RuntimeClass",
    "metadata": {"name": "accelerated"},
    "handler": "accelerated",
}


def pods(place: Kubectl, runtime: str) -> list[dict[str, Any]]:
    return place.items("pods", "-l", f"whisper.livetranslate.io/runtime={runtime}")


def has_models(place: Kubectl) -> bool:
    """After every Job that is there now has made its variant."""
    for step in jobs.STEPS:
        for job in jobs.running(place, step):
            jobs.end(place, job, 0, jobs.made(step))
    return place.condition("wsvc", "speech", "ModelsReady").get("status") == "True"


@pytest.fixture(scope="module")
def service(api_server: Kubectl, operator: OperatorProcess, shared_namespace: str) -> Iterator[Kubectl]:
    place = api_server.within(shared_namespace)
    place.apply([CLASS, NODE])
    runtimes = {"npu": EVERY_FIELD, "cpu": {}}
    place.apply([model_set(models=[{"name": "tiny.en", "variants": VARIANTS}]), whisper_service(runtimes=runtimes)])
    wait_until(lambda: has_models(place), within=240, what="both variants are there")
    wait_until(lambda: pods(place, "npu") and pods(place, "cpu"), within=120, what="a pod of each runtime")
    yield place
    place.run("delete", "node", "without-npu")


def test_what_the_spec_says_is_what_the_api_server_holds(service: Kubectl) -> None:
    pod = pods(service, "npu")[0]["spec"]
    for container in (pod["initContainers"][0], pod["containers"][0]):
        held = container["resources"]
        assert held["requests"].items() >= {"npu.intel.com/accel": "1", "gpu.intel.com/i915": "1"}.items()
        assert held["limits"].items() >= {"npu.intel.com/accel": "1", "gpu.intel.com/i915": "1"}.items()
    assert pod["securityContext"]["supplementalGroups"] == [109]
    assert pod["runtimeClassName"] == "accelerated"
    assert {"name": "registry"} in pod["imagePullSecrets"]
    assert "--workers=2" in pod["containers"][0]["args"]


def test_what_the_api_server_adds_is_no_drift(service: Kubectl, operator: OperatorProcess) -> None:
    assert rested(service, operator), "the operator goes on writing"


def test_a_missing_node_is_named_and_the_chain_is_as_asked(service: Kubectl) -> None:
    def npu() -> dict[str, Any]:
        found: dict[str, Any] = service.get("wsvc", "speech")["status"]["runtimes"][0]
        return found

    wait_until(lambda: npu().get("reason") == "NoMatchingNode", within=120, what="status names the missing node")
    assert "whisper.livetranslate.io/npu=true" in npu()["message"]
    assert service.get("wsvc", "speech")["status"]["chain"] == "npu → cpu"
