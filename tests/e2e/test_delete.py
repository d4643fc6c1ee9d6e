"""Deleting leaves the claim and nothing else; nothing hangs."""

from tests.e2e.hub import Hub
from tests.e2e.resources import model_set, whisper_service
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

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

    wait_until(lambda: not left(namespace), within=90, what="all that was made is gone")
    assert [c["metadata"]["uid"] for c in namespace.items("pvc")] == [claim]

    namespace.apply([model_set()])
    namespace.wait_condition("mset", "models", "Ready", within=120)
    assert [c["metadata"]["uid"] for c in namespace.items("pvc")] == [claim]


def test_deleted_in_the_middle_of_a_download_nothing_goes_on_and_the_claim_is_free(
    namespace: Kubectl, own_hub: Hub
) -> None:
    own_hub.fault({"kind": "slow", "path": "*model.safetensors", "rate": 1_000_000})
    namespace.apply([model_set(source={"huggingFace": {"endpoint": own_hub.cluster_url}})])

    def downloading() -> bool:
        variants = namespace.get("mset", "models").get("status", {}).get("variants", [])
        return any(one.get("bytesDone") for one in variants)

    wait_until(downloading, within=120, what="bytes arrive")
    namespace.run("delete", "mset", "models", "--timeout=60s")

    wait_until(lambda: not namespace.items("jobs,pods", *OURS), within=90, what="Job and pod are gone")
    namespace.run("delete", "pvc", "models-models", "--timeout=60s")


def test_a_set_that_says_delete_takes_its_claim_along(namespace: Kubectl) -> None:
    namespace.apply([model_set(storage={"reclaimPolicy": "Delete"}, suspend=True)])
    wait_until(lambda: namespace.items("pvc"), within=30, what="the claim is there")

    namespace.run("delete", "mset", "--all", "--timeout=60s")

    wait_until(lambda: not namespace.items("pvc"), within=60, what="the claim is gone")


def test_a_namespace_with_everything_in_it_deletes_without_hanging(namespace: Kubectl) -> None:
    namespace.apply([model_set(), whisper_service()])
    namespace.wait_condition("wsvc", "speech", "Ready", within=240)

    namespace.run("delete", "namespace", str(namespace.namespace), "--timeout=120s", timeout=150)

    assert namespace.find("namespace", str(namespace.namespace)) is None
