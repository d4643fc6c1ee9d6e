"""Deleting leaves the claim and nothing else; nothing hangs."""

from typing import Any

import httpx
import pytest

from tests.e2e.hub import Hub
from tests.e2e.resources import model_set, whisper_service
from tests.e2e.test_transcript import post_jfk
from tests.support.kubectl import Kubectl, is_ready
from tests.support.waiting import wait_until
from tests.support.words import JFK_WORDS, word_errors

MADE = (
    "deployments,replicasets,pods,services,endpointslices,configmaps,secrets,serviceaccounts,poddisruptionbudgets,jobs"
)
OURS = ("-l", "app.kubernetes.io/managed-by=whisper-operator")
# what Kubernetes itself puts in every namespace
NATIVE = {"ConfigMap/kube-root-ca.crt", "ServiceAccount/default"}


def left(kubectl: Kubectl) -> set[str]:
    found = {f"{o['kind']}/{o['metadata']['name']}" for o in kubectl.items(MADE)}
    return found - NATIVE


def test_deleting_removes_all_but_the_claim_and_a_returning_set_adopts_it(namespace: Kubectl) -> None:
    namespace.apply([model_set(), whisper_service()])
    namespace.wait_condition("wsvc", "speech", "Ready", within=240)
    claim = namespace.get("pvc", "models-models")["metadata"]["uid"]

    namespace.run("delete", "wsvc,mset", "--all", "--timeout=60s")

    wait_until(lambda: not left(namespace), within=180, what="all that was made is gone")
    assert [c["metadata"]["uid"] for c in namespace.items("pvc")] == [claim]

    namespace.apply([model_set()])
    namespace.wait_condition("mset", "models", "Ready", within=120)
    assert [c["metadata"]["uid"] for c in namespace.items("pvc")] == [claim]


def test_what_serves_outlives_its_set_and_a_new_pod_of_it_hears_as_well(namespace: Kubectl) -> None:
    namespace.apply([model_set(), whisper_service()])
    namespace.wait_condition("wsvc", "speech", "Ready", within=240)
    (before,) = runtime_pods(namespace)
    namespace.run("delete", "mset", "models", "--timeout=60s")

    def noticed() -> bool:
        return namespace.condition("wsvc", "speech", "ModelsReady").get("reason") == "ModelSetNotFound"

    wait_until(noticed, within=60, what="the service says that its set is gone")
    namespace.run("delete", "pod", before["metadata"]["name"], "--wait=false")
    wait_until(lambda: ready_pods(namespace), within=180, what="another pod has loaded the model from the claim")
    assert before["metadata"]["uid"] not in ready_pods(namespace)

    with namespace.forwarded("svc/speech", 80) as url:
        answer = wait_until(lambda: served(url), within=60, what="the router has found the new pod")
    assert word_errors(JFK_WORDS, answer.json()["text"]) == 0
    assert not namespace.items("mset")


def runtime_pods(kubectl: Kubectl) -> list[dict[str, Any]]:
    return kubectl.items("pods", "-l", "whisper.livetranslate.io/service=speech,app.kubernetes.io/component=cpu")


def ready_pods(kubectl: Kubectl) -> set[str]:
    """UIDs."""
    return {pod["metadata"]["uid"] for pod in runtime_pods(kubectl) if is_ready(pod)}


def served(url: str) -> httpx.Response:
    answer = post_jfk(url)
    assert answer.status_code == 200, answer.text
    return answer


def test_deleted_in_the_middle_of_a_download_nothing_goes_on_and_the_claim_is_free(
    namespace: Kubectl, own_hub: Hub
) -> None:
    own_hub.fault({"kind": "slow", "path": "*model.safetensors", "rate": 1_000_000})
    namespace.apply([model_set(source={"huggingFace": {"endpoint": own_hub.cluster_url}})])

    def downloading() -> dict[str, Any]:
        variants = namespace.get("mset", "models").get("status", {}).get("variants", [])
        told = (one for one in variants if {"bytesDone", "bytesPerSecond", "etaSeconds"} <= one.keys())
        return next(told, {})

    told = wait_until(downloading, within=120, what="bytes arrive, with their speed and the time that is left")
    assert 0 < told["bytesDone"] < told["bytesTotal"]
    left = (told["bytesTotal"] - told["bytesDone"]) / told["bytesPerSecond"]
    assert told["etaSeconds"] == pytest.approx(left, abs=1), "all of one moment, and in whole seconds"
    namespace.run("delete", "mset", "models", "--timeout=60s")

    wait_until(lambda: not namespace.items("jobs,pods", *OURS), within=180, what="Job and pod are gone")
    namespace.run("delete", "pvc", "models-models", "--timeout=60s")


def test_a_set_that_says_delete_takes_its_claim_along(namespace: Kubectl) -> None:
    namespace.apply([model_set(storage={"reclaimPolicy": "Delete"}, suspend=True)])
    wait_until(lambda: namespace.items("pvc"), within=90, what="the claim is there")

    namespace.run("delete", "mset", "--all", "--timeout=60s")

    wait_until(lambda: not namespace.items("pvc"), within=90, what="the claim is gone")


def test_a_namespace_with_everything_in_it_deletes_without_hanging(namespace: Kubectl) -> None:
    namespace.apply([model_set(), whisper_service()])
    namespace.wait_condition("wsvc", "speech", "Ready", within=240)

    # pods that need more than five seconds to end are looked for again after half of their grace, 158 s
    namespace.run("delete", "namespace", str(namespace.namespace), "--timeout=240s", timeout=270)

    assert namespace.find("namespace", str(namespace.namespace)) is None
