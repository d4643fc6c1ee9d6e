"""A ModelSet on the real API server: its claim, its Jobs one after the other, and what it says when one fails."""

from functools import partial
from typing import Any

import pytest

from tests.e2e.resources import model_set
from tests.integration import jobs
from tests.integration.operator_process import OperatorProcess
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

CLAIM = "models-models"
WITHIN = 90.0


def reason(place: Kubectl, condition: str = "Ready") -> str:
    return str(place.condition("mset", "models", condition).get("reason", ""))


def wait_reason(place: Kubectl, wanted: str, within: float = WITHIN) -> None:
    wait_until(lambda: reason(place) == wanted, within=within, what=f"Ready says {wanted}, not {reason(place)}")


def variant(place: Kubectl, name: str = "pytorch") -> dict[str, Any]:
    found = place.get("mset", "models").get("status", {}).get("variants", [])
    return next((one for one in found if one["format"] == name), {})


def counted(place: Kubectl, attempts: int) -> bool:
    return bool(variant(place).get("attempts") == attempts)


def warnings(place: Kubectl) -> list[str]:
    events = place.items("events", "--field-selector", "involvedObject.kind=ModelSet,type=Warning")
    return [event["reason"] for event in events]


def made(place: Kubectl) -> None:
    jobs.succeed_all(place)
    place.wait_condition("mset", "models", "Ready", within=WITHIN)


def test_a_set_becomes_ready_by_a_download_a_conversion_and_a_comparison(place: Kubectl) -> None:
    place.apply([model_set()])
    download = jobs.job(place, "download")
    assert not place.items("jobs", "-l", "app.kubernetes.io/component=convert")
    assert download["spec"]["template"]["spec"]["containers"][0]["args"][:5] == [
        "download", "--root", "/models", "--models", "tiny.en",
    ]  # fmt: skip

    made(place)

    status = place.get("mset", "models")["status"]
    assert status["ready"] == "2/2"
    assert status["size"] == "150 MiB"
    assert [one["state"] for one in status["variants"]] == ["Ready", "Ready"]
    assert status["variants"][1]["digest"] == "sha256:" + "a" * 64
    assert status["variants"][1]["similarity"] == 0.99
    assert {c["type"]: c["status"] for c in status["conditions"]}["Verified"] == "True"
    assert "Stalled" not in {c["type"] for c in status["conditions"]}


def test_a_finished_job_is_removed_once_its_result_is_in_status(place: Kubectl) -> None:
    place.apply([model_set()])
    made(place)
    wait_until(lambda: not place.items("jobs"), within=WITHIN, what="no Job is left")
    wait_until(lambda: not place.items("pods"), within=WITHIN, what="no pod pins the claim")


def test_every_job_is_admitted_by_restricted_pod_security(place: Kubectl) -> None:
    place.run("label", "namespace", str(place.namespace), "pod-security.kubernetes.io/enforce=restricted")
    place.apply([model_set()])
    made(place)


@pytest.mark.parametrize(
    "name",
    ["HubUnreachable", "NotFound", "GatedRepo", "ChecksumMismatch", "AuthFailed", "DiskFull", "PermissionDenied"],
)
def test_a_failure_is_named_in_status_and_in_an_event(name: str, place: Kubectl) -> None:
    place.apply([model_set()])
    failed = jobs.fail(place, "download", name, retry_after=600)  # or it is tried again while a slow machine looks

    wait_reason(place, name)
    found = variant(place)
    assert (found["state"], found["attempts"], found["lastFailure"]["reason"]) == ("Failed", 1, name)
    wait_until(lambda: name in warnings(place), within=WITHIN, what="an Event says it, too")
    assert [job["metadata"]["uid"] for job in place.items("jobs")] == [failed["metadata"]["uid"]]


def test_what_fails_is_tried_again_and_counted_until_it_works(place: Kubectl) -> None:
    place.apply([model_set()])
    for attempt in (1, 2):
        jobs.fail(place, "download", "NotFound")
        wait_until(partial(counted, place, attempt), within=WITHIN, what=f"attempt {attempt} is counted")
    found = variant(place)
    assert found["nextAttempt"] > found["lastFailure"]["time"]
    assert len(place.items("jobs")) == 1
    assert warnings(place).count("NotFound") == 1

    made(place)
    assert "lastFailure" not in variant(place)


def test_a_failure_that_cannot_be_retried_stalls_until_the_spec_changes(place: Kubectl) -> None:
    place.apply([model_set()])
    failed = jobs.fail(place, "download", "UnsupportedCheckpoint", retryable=False)
    wait_until(lambda: reason(place, "Stalled") == "UnsupportedCheckpoint", within=WITHIN)

    source = {"huggingFace": {"endpoint": "http://other.example"}}
    place.apply([model_set(source=source)])

    again = jobs.job(place, "download")
    assert again["metadata"]["uid"] != failed["metadata"]["uid"]
    assert "http://other.example" in again["spec"]["template"]["spec"]["containers"][0]["args"]
    made(place)


@pytest.mark.parametrize(
    ("status", "name"),
    [
        ({"phase": "Failed", "reason": "Evicted", "message": "low on memory"}, "Evicted"),
        (
            {
                "phase": "Failed",
                "containerStatuses": [jobs.container(terminated={"exitCode": 137, "reason": "OOMKilled"})],
            },
            "OutOfMemory",
        ),
        (
            {"phase": "Failed", "containerStatuses": [jobs.container(terminated={"exitCode": 3, "reason": "Error"})]},
            "ContainerFailed",
        ),
        (
            {
                "phase": "Pending",
                "containerStatuses": [jobs.container(waiting={"reason": "ImagePullBackOff", "message": "no such"})],
                "conditions": [{"type": "PodScheduled", "status": "True"}],
            },
            "ImagePullFailed",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_happens_to_a_pod_is_named(status: dict[str, Any], name: str, place: Kubectl) -> None:
    place.apply([model_set()])
    jobs.patch_pod(place, jobs.job(place, "download"), status)
    wait_reason(place, name)
    wait_until(lambda: name in warnings(place), within=WITHIN, what="an Event says it, too")


def test_a_pod_that_no_node_takes_is_named(place: Kubectl) -> None:
    place.apply([model_set()])
    wait_reason(place, "Unschedulable")


def test_a_pod_that_may_not_be_made_is_named(place: Kubectl) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    place.apply([quota])
    wait_until(lambda: place.get("quota", "none").get("status"), within=WITHIN, what="the quota counts")
    place.apply([model_set()])
    wait_reason(place, "PodRefused")

    place.run("delete", "quota", "none")

    made(place)


def test_an_unknown_model_is_named_without_any_job(place: Kubectl) -> None:
    place.apply([model_set(model="tinny.en")])
    wait_until(lambda: reason(place, "Stalled") == "UnknownModel", within=WITHIN)
    assert "tiny.en" in place.condition("mset", "models", "Stalled")["message"]
    wait_until(lambda: "UnknownModel" in warnings(place), within=WITHIN)
    assert not place.items("jobs")

    place.apply([model_set()])

    made(place)
    assert not place.condition("mset", "models", "Stalled")


def test_a_storage_class_that_is_not_there_is_named_and_noticed_when_it_comes(
    place: Kubectl, api_server: Kubectl
) -> None:
    name = f"late-{place.namespace}"
    place.apply([model_set(storage={"claimTemplate": {"storageClassName": name}})])
    wait_reason(place, "StorageClassNotFound")
    wait_until(lambda: "StorageClassNotFound" in warnings(place), within=WITHIN)

    late = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": "example.com/none",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    api_server.apply([late])

    try:
        made(place)
    finally:
        api_server.run("delete", "storageclass", name)


def test_a_claim_of_someone_else_is_not_taken_over(place: Kubectl) -> None:
    theirs = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": CLAIM},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    place.apply([theirs])
    before = place.get("pvc", CLAIM)
    place.apply([model_set()])
    wait_until(lambda: reason(place, "Stalled") == "ClaimNotOurs", within=WITHIN)
    assert place.get("pvc", CLAIM)["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]

    place.run("label", "pvc", CLAIM, "whisper.livetranslate.io/modelset=models")

    made(place)
    assert place.get("pvc", CLAIM)["metadata"]["uid"] == before["metadata"]["uid"]


def test_an_existing_claim_is_used_and_left_as_it_is(place: Kubectl) -> None:
    place.apply([model_set(storage={"existingClaim": "shared"})])
    wait_reason(place, "ClaimNotFound")
    shared = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "shared"},
        "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    place.apply([shared])
    made(place)
    assert "labels" not in place.get("pvc", "shared")["metadata"]
    assert [one["metadata"]["name"] for one in place.items("pvc")] == ["shared"]


def test_a_suspended_set_starts_nothing(place: Kubectl) -> None:
    place.apply([model_set(suspend=True)])
    wait_reason(place, "Suspended")
    assert not place.items("jobs")
    place.apply([model_set(suspend=False)])
    jobs.job(place, "download")


def test_a_returning_set_adopts_the_claim_that_was_kept(place: Kubectl) -> None:
    place.apply([model_set()])
    made(place)
    uid = place.get("pvc", CLAIM)["metadata"]["uid"]

    place.run("delete", "mset", "models")
    assert place.get("pvc", CLAIM)["metadata"]["uid"] == uid
    place.apply([model_set()])

    made(place)
    assert place.get("pvc", CLAIM)["metadata"]["uid"] == uid


def test_a_set_that_says_delete_takes_its_claim_along(place: Kubectl) -> None:
    place.apply([model_set(storage={"reclaimPolicy": "Delete"})])
    wait_until(lambda: place.items("pvc"), within=WITHIN, what="the claim is there")
    place.run("delete", "mset", "models")
    wait_until(lambda: not place.items("pvc"), within=WITHIN, what="the claim is gone")


def test_a_new_claim_under_the_old_name_is_filled_again(place: Kubectl) -> None:
    place.apply([model_set()])
    made(place)
    place.run("delete", "pvc", CLAIM)
    made(place)


def test_labels_of_the_claim_are_put_back(place: Kubectl) -> None:
    place.apply([model_set()])
    wait_until(lambda: place.items("pvc"), within=WITHIN, what="the claim is there")
    wait_until(lambda: place.get("mset", "models").get("status", {}).get("storage", {}).get("claimUid"), within=WITHIN)
    labels = place.get("pvc", CLAIM)["metadata"]["labels"]
    for label in labels:
        place.run("label", "pvc", CLAIM, f"{label}-")
        wait_until(
            lambda: place.get("pvc", CLAIM)["metadata"].get("labels") == labels, within=WITHIN, what=f"{label} is back"
        )


def test_the_token_is_mounted_as_a_file_and_named_nowhere_else(place: Kubectl) -> None:
    reference = {"huggingFace": {"tokenSecretRef": {"name": "hub", "key": "secret"}}}
    place.apply([model_set(source=reference)])
    spec = jobs.job(place, "download")["spec"]["template"]["spec"]
    volume = next(one for one in spec["volumes"] if "secret" in one)
    assert volume["secret"]["items"] == [{"key": "secret", "path": "token"}]
    assert "--token-file" in spec["containers"][0]["args"]


def test_the_operator_lives_and_counts(operator: OperatorProcess, place: Kubectl) -> None:
    assert operator.get("/livez") == (200, "ok\n")
    assert operator.metric("whisper_operator_reconciles_total") > 0
    assert operator.metric("whisper_operator_api_requests_total") > 0
