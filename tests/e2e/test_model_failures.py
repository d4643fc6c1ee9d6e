"""Each way a model can fail to arrive has a name in status and in an Event, and ends by itself when the cause does."""

from typing import Any

import pytest

from tests.e2e.hub import CORRUPT, GATED, NOT_FOUND, Hub
from tests.e2e.resources import model_set
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

STORAGE_CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "late"},
    "provisioner": "kubernetes.io/host-path",
}


def reasons(kubectl: Kubectl) -> set[str]:
    """Every reason that the set's status gives: of its conditions and of its variants."""
    status = kubectl.get("mset", "models").get("status", {})
    conditions = {c["reason"] for c in status.get("conditions", [])}
    return conditions | {v["lastFailure"]["reason"] for v in status.get("variants", []) if v.get("lastFailure")}


def named(kubectl: Kubectl, reason: str, within: float = 180) -> None:
    wait_until(lambda: reason in reasons(kubectl), within=within, what=f"status names {reason}: {reasons(kubectl)}")

    def event() -> bool:
        events = kubectl.items("events", "--field-selector", "involvedObject.kind=ModelSet")
        return any(e["reason"] == reason and e["type"] == "Warning" for e in events)

    wait_until(event, within=60, what=f"an Event names {reason}")


def jobs(kubectl: Kubectl) -> int:
    return len(kubectl.items("jobs"))


def test_unknown_model(namespace: Kubectl) -> None:
    namespace.apply([model_set(model="tinny.en")])
    named(namespace, "UnknownModel")
    assert namespace.condition("mset", "models", "Stalled")["status"] == "True"
    assert jobs(namespace) == 0

    namespace.apply([model_set(model="tiny.en")])

    namespace.wait_condition("mset", "models", "Ready", within=180)


def test_unreachable_hub(namespace: Kubectl, own_hub: Hub) -> None:
    own_hub.leave()
    namespace.apply([model_set(source={"huggingFace": {"endpoint": own_hub.cluster_url}})])
    named(namespace, "HubUnreachable")
    assert jobs(namespace) <= 1

    own_hub.come_back()

    namespace.wait_condition("mset", "models", "Ready", within=240)


def test_a_hub_whose_name_does_not_exist_ends_with_the_address_mended(namespace: Kubectl) -> None:
    namespace.apply([model_set(source={"huggingFace": {"endpoint": "http://nobody.invalid"}})])
    named(namespace, "DnsFailed")

    namespace.apply([model_set()])

    namespace.wait_condition("mset", "models", "Ready", within=180)


FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("NotFound", NOT_FOUND),
    ("GatedRepo", GATED),
    ("ChecksumMismatch", CORRUPT),
]


@pytest.mark.parametrize(("reason", "fault"), FAULTS, ids=[f[0] for f in FAULTS])
def test_hub_fault(reason: str, fault: dict[str, Any], namespace: Kubectl, own_hub: Hub) -> None:
    own_hub.fault(fault)
    namespace.apply([model_set(source={"huggingFace": {"endpoint": own_hub.cluster_url}})])
    named(namespace, reason)
    assert jobs(namespace) <= 1

    own_hub.fault()

    namespace.wait_condition("mset", "models", "Ready", within=240)


def test_claim_that_cannot_bind(namespace: Kubectl) -> None:
    namespace.run("delete", "storageclass", "late", "--ignore-not-found")
    template = {"storageClassName": "late", "accessModes": ["ReadWriteMany"], "size": "1Gi"}
    namespace.apply([model_set(storage={"claimTemplate": template})])
    named(namespace, "StorageClassNotFound")

    namespace.apply([STORAGE_CLASS])

    namespace.wait_condition("mset", "models", "Ready", within=240)
    namespace.run("delete", "storageclass", "late")


def test_a_failure_that_stays_makes_no_endless_jobs(namespace: Kubectl, own_hub: Hub) -> None:
    own_hub.fault(NOT_FOUND)
    namespace.apply([model_set(source={"huggingFace": {"endpoint": own_hub.cluster_url}})])
    named(namespace, "NotFound")

    def attempts() -> int:
        variants = namespace.get("mset", "models")["status"]["variants"]
        return max(int(v.get("attempts") or 0) for v in variants)

    wait_until(lambda: attempts() >= 2, within=180, what="it tried again by itself")
    assert jobs(namespace) <= 1
    assert attempts() <= 4
