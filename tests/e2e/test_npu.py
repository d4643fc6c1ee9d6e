"""An npu before a cpu on a real cluster: without its pods the cpu answers, and it takes over again.

No node here has an NPU: its pods serve from OpenVINO's CPU device, by the same engine and the same chain.
"""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.environment import Environment, make_namespace
from tests.e2e.resources import model_set, whisper_service
from tests.e2e.test_transcript import post_jfk
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until
from tests.support.words import JFK_WORDS, word_errors

SMALL = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"cpu": "1", "memory": "2Gi"}}
LABEL = "whisper.livetranslate.io/npu"
RUNTIMES = {
    "npu": {"deviceOrder": ["CPU"], "placement": {"nodeSelector": {LABEL: "true"}}, "resources": SMALL},
    "cpu": {"resources": SMALL},
}
MODELS = model_set(
    models=[
        {
            "name": "tiny.en",
            "variants": [{"format": "openvino", "precision": "int8"}, {"format": "onnx", "precision": "int8"}],
        }
    ],
    storage={"claimTemplate": {"accessModes": ["ReadWriteMany"], "size": "2Gi"}},
)


@pytest.fixture(scope="module")
def chain(installed: Environment) -> Iterator[Kubectl]:
    """A namespace with the service, of which both runtimes serve."""
    kubectl = make_namespace(installed.kubectl, f"npu-{secrets.token_hex(3)}")
    node = installed.kubectl.items("nodes")[0]["metadata"]["name"]
    label(kubectl, node, "=true")
    kubectl.apply([MODELS, whisper_service(runtimes=RUNTIMES)])
    kubectl.wait_condition("mset", "models", "Ready", within=600)
    wait_until(lambda: healthy(kubectl) == {"npu": 1, "cpu": 1}, within=300, what="both runtimes serve")
    yield kubectl
    label(kubectl, node, "-")
    installed.kubectl.run("delete", "namespace", str(kubectl.namespace), "--wait=false")


def status(kubectl: Kubectl) -> dict[str, Any]:
    found: dict[str, Any] = kubectl.get("wsvc", "speech")["status"]
    return found


def healthy(kubectl: Kubectl) -> dict[str, int]:
    found = (kubectl.find("wsvc", "speech") or {}).get("status", {})
    return {one["name"]: one.get("healthy") for one in found.get("runtimes", ())}


def answered_by(url: str) -> str:
    """Which runtime transcribed a clip, without a word error."""
    answer = post_jfk(url)
    assert answer.status_code == 200, answer.text
    assert word_errors(JFK_WORDS, answer.json()["text"]) == 0
    return str(answer.headers["x-whisper-runtime"])


def label(kubectl: Kubectl, node: str, change: str) -> None:
    """Say that a node has an NPU (`=true`), or no longer (`-`)."""
    kubectl.run("label", "node", node, f"{LABEL}{change}", "--overwrite")


def test_the_first_of_the_chain_answers(chain: Kubectl) -> None:
    with chain.forwarded("svc/speech", 80) as url:
        assert answered_by(url) == "npu"
    assert status(chain)["activeRuntime"] == "npu"
    assert status(chain)["chain"] == "npu → cpu"
    as_asked(chain)


def test_without_its_pods_the_cpu_answers_and_it_takes_over_again(chain: Kubectl) -> None:
    pod = chain.items("pods", "-l", "whisper.livetranslate.io/runtime=npu")[0]
    label(chain, pod["spec"]["nodeName"], "-")
    chain.run("delete", "pod", pod["metadata"]["name"], "--wait=false")
    wait_until(lambda: status(chain).get("activeRuntime") == "cpu", within=60, what="the cpu is the active runtime")

    with chain.forwarded("svc/speech", 80) as url:
        assert answered_by(url) == "cpu"
    wait_until(lambda: reason_of_npu(chain) == "NoMatchingNode", within=60, what="status names the missing node")
    said = status(chain)["lastFailover"]
    assert (said["fromRuntime"], said["toRuntime"]) == ("npu", "cpu")
    degraded = chain.condition("wsvc", "speech", "Degraded")
    assert (degraded["status"], degraded["reason"]) == ("True", "NoMatchingNode")
    assert chain.condition("wsvc", "speech", "Ready")["status"] == "True"

    label(chain, pod["spec"]["nodeName"], "=true")
    wait_until(lambda: status(chain).get("activeRuntime") == "npu", within=180, what="the npu takes over again")
    with chain.forwarded("svc/speech", 80) as url:
        assert answered_by(url) == "npu"
    assert status(chain)["lastFailover"] == said
    as_asked(chain)


def as_asked(kubectl: Kubectl) -> None:
    wait_until(
        lambda: kubectl.condition("wsvc", "speech", "Degraded").get("status") == "False",
        within=120,
        what="all is as asked",
    )


def reason_of_npu(kubectl: Kubectl) -> str | None:
    found: str | None = next(one for one in status(kubectl)["runtimes"] if one["name"] == "npu").get("reason")
    return found
