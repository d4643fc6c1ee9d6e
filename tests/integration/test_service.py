"""A WhisperService on the real API server: made, kept as it should be, left alone at rest, removed without a trace."""

import json
import time
from typing import Any

import pytest

from tests.e2e.resources import model_set, whisper_service
from tests.integration import jobs
from tests.integration.operator_process import OperatorProcess
from tests.support.kubectl import Kubectl, KubectlError
from tests.support.waiting import wait_until

WITHIN = 90.0
OURS = ("-l", "app.kubernetes.io/managed-by=whisper-operator")
KINDS = "deployments,services,configmaps,serviceaccounts,poddisruptionbudgets,persistentvolumeclaims"
NATIVE = {"ConfigMap/kube-root-ca.crt", "ServiceAccount/default"}
EXPECTED = {
    "Deployment/speech-cpu",
    "Deployment/speech-router",
    "Service/speech",
    "Service/speech-cpu",
    "ConfigMap/speech-router",
}


def objects(place: Kubectl, *selector: str) -> dict[str, dict[str, Any]]:
    found = place.items(KINDS, *selector)
    return {f"{one['kind']}/{one['metadata']['name']}": one for one in found}


def serve(place: Kubectl) -> Kubectl:
    """The models are there and everything of the service is made."""
    place.apply([model_set(), whisper_service()])
    jobs.succeed_all(place)
    place.wait_condition("wsvc", "speech", "ModelsReady", within=WITHIN)
    wait_until(lambda: set(objects(place, *OURS)) >= EXPECTED, within=WITHIN, what="everything is made")
    return place


@pytest.fixture(scope="module")
def service(api_server: Kubectl, operator: OperatorProcess, shared_namespace: str) -> Kubectl:
    """For tests that leave the service as it was."""
    return serve(api_server.within(shared_namespace))


@pytest.fixture
def doomed(place: Kubectl) -> Kubectl:
    """For tests that take it away."""
    return serve(place)


def versions(place: Kubectl) -> dict[str, str]:
    found = [*place.items(KINDS, *OURS), *place.items("wsvc,mset"), *place.items("events")]
    ours = [
        one for one in found if one["kind"] != "Event" or "whisper" in json.dumps(one.get("reportingComponent", ""))
    ]
    return {f"{one['kind']}/{one['metadata']['name']}": one["metadata"]["resourceVersion"] for one in ours}


def rested(place: Kubectl, operator: OperatorProcess) -> dict[str, str]:
    """What there is once nothing was written for two seconds."""

    def quiet() -> dict[str, str] | None:
        before = operator.metric("whisper_operator_writes_total"), versions(place)
        time.sleep(2)
        return before[1] if before == (operator.metric("whisper_operator_writes_total"), versions(place)) else None

    found = wait_until(quiet, within=180, what="nothing is written any more")
    assert found
    return found


def test_all_objects_are_made_with_our_labels_and_an_owner(service: Kubectl) -> None:
    uid = service.get("wsvc", "speech")["metadata"]["uid"]
    for name in EXPECTED:
        meta = objects(service)[name]["metadata"]
        assert [one["uid"] for one in meta["ownerReferences"]] == [uid]
        assert meta["labels"]["whisper.livetranslate.io/service"] == "speech"


def test_status_is_about_the_current_generation_and_only_status_is_written(service: Kubectl) -> None:
    def current() -> bool:
        found = service.get("wsvc", "speech")
        status = found["status"]
        generations = {status["observedGeneration"], *(c["observedGeneration"] for c in status["conditions"])}
        return generations == {found["metadata"]["generation"]}

    service.run("patch", "wsvc", "speech", "--type=merge", "-p", '{"spec":{"runtimes":{"cpu":{"replicas":2}}}}')
    wait_until(current, within=WITHIN, what="observedGeneration is current")
    meta = service.get("wsvc", "speech")["metadata"]
    assert not {"finalizers", "labels", "annotations"} & set(meta)


@pytest.mark.parametrize("target", sorted(EXPECTED))
def test_what_is_deleted_is_back(target: str, service: Kubectl) -> None:
    before = objects(service)[target]["metadata"]["uid"]
    service.run("delete", target.lower(), "--wait=false")
    wait_until(
        lambda: objects(service).get(target, {"metadata": {"uid": before}})["metadata"]["uid"] != before,
        within=WITHIN,
        what=f"{target} is back",
    )


EDITS: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("deployment/speech-cpu", {"spec": {"replicas": 7}}, ("spec", "replicas")),
    ("deployment/speech-cpu", {"metadata": {"ownerReferences": None}}, ("metadata", "ownerReferences")),
    ("service/speech-cpu", {"spec": {"publishNotReadyAddresses": True}}, ("spec", "publishNotReadyAddresses")),
    ("service/speech", {"spec": {"selector": {"app": "other"}}}, ("spec", "selector")),
    ("configmap/speech-router", {"data": {"envoy.yaml": "nonsense"}}, ("data", "envoy.yaml")),
    (
        "configmap/speech-router",
        {"metadata": {"labels": {"app.kubernetes.io/managed-by": "nobody"}}},
        ("metadata", "labels"),
    ),
]


@pytest.mark.parametrize(("target", "edit", "path"), EDITS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_field_of_ours_that_is_edited_by_hand_is_put_back(
    target: str, edit: dict[str, Any], path: tuple[str, str], service: Kubectl
) -> None:
    before = service.get(target)[path[0]].get(path[1])
    service.run("patch", target, "--type=merge", "-p", json.dumps(edit))
    wait_until(
        lambda: service.get(target)[path[0]].get(path[1]) == before, within=WITHIN, what=f"{target} is as before {edit}"
    )


def test_what_others_add_is_left_alone(service: Kubectl, operator: OperatorProcess) -> None:
    service.run("annotate", "deployment", "speech-cpu", "team=ours")
    service.run("label", "service", "speech", "team=ours")
    rested(service, operator)
    assert objects(service)["Deployment/speech-cpu"]["metadata"]["annotations"]["team"] == "ours"
    assert objects(service)["Service/speech"]["metadata"]["labels"]["team"] == "ours"


def test_at_rest_nothing_is_written_and_the_same_apply_changes_nothing(
    service: Kubectl, operator: OperatorProcess
) -> None:
    service.apply([model_set(), whisper_service()])
    before = rested(service, operator)
    writes = operator.metric("whisper_operator_writes_total")

    service.apply([model_set(), whisper_service()])
    time.sleep(15)

    assert versions(service) == before
    assert operator.metric("whisper_operator_writes_total") == writes


def test_a_service_without_its_models_says_so_and_goes_on_when_they_come(place: Kubectl) -> None:
    place.apply([whisper_service()])
    wait_until(
        lambda: place.condition("wsvc", "speech", "ModelsReady").get("reason") == "ModelSetNotFound", within=WITHIN
    )
    place.apply([model_set()])
    jobs.succeed_all(place)
    place.wait_condition("wsvc", "speech", "ModelsReady", within=WITHIN)
    assert place.get("mset", "models")["status"]["usedBy"] == ["speech"]


def test_an_object_of_someone_else_is_not_taken_over(place: Kubectl) -> None:
    theirs = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "speech"},
        "spec": {"ports": [{"port": 1}], "selector": {"app": "theirs"}},
    }
    place.apply([theirs])
    before = place.get("service", "speech")["metadata"]["resourceVersion"]
    place.apply([whisper_service()])
    wait_until(lambda: place.condition("wsvc", "speech", "Stalled").get("reason") == "NameTaken", within=WITHIN)
    assert place.get("service", "speech")["metadata"]["resourceVersion"] == before

    place.run("delete", "service", "speech")

    wait_until(
        lambda: "Service/speech" in objects(place, *OURS), within=WITHIN, what="the Service is made when it can be"
    )


def refuses_services(place: Kubectl) -> bool:
    try:
        place.run("create", "service", "clusterip", "probe", "--tcp=80", "--dry-run=server")
    except KubectlError:
        return True
    return False


def test_a_webhook_that_does_not_work_is_told_and_got_over(place: Kubectl) -> None:
    """The API server answers 500: nothing is decided, so it is tried again, and status says what is in the way."""
    hook = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": f"broken-{place.namespace}"},
        "webhooks": [
            {
                "name": "broken.example.com",
                "clientConfig": {"url": "https://127.0.0.1:1/"},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["services"]}],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": place.namespace}},
                "failurePolicy": "Fail",
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
                "timeoutSeconds": 1,
            }
        ],
    }
    place.apply([hook])
    try:
        wait_until(lambda: refuses_services(place), within=WITHIN, what="the webhook is asked")
        place.apply([whisper_service()])
        wait_until(
            lambda: "failed calling webhook" in place.condition("wsvc", "speech", "Ready").get("message", ""),
            within=WITHIN,
            what="status says what is in the way",
        )
        assert place.condition("wsvc", "speech", "Ready")["reason"] == "Refused"
        wait_until(lambda: "ConfigMap/speech-router" in objects(place, *OURS), within=WITHIN, what="the rest is made")
        assert "Service/speech" not in objects(place, *OURS)
    finally:
        place.run("delete", "validatingwebhookconfiguration", f"broken-{place.namespace}")
    wait_until(
        lambda: "Service/speech" in objects(place, *OURS), within=WITHIN, what="the Service is made when it can be"
    )


def test_deleting_leaves_the_claim_and_nothing_else(doomed: Kubectl) -> None:
    doomed.run("delete", "wsvc,mset", "--all", "--timeout=90s")

    def left() -> set[str]:
        found = doomed.items(f"{KINDS},pods,replicasets,jobs,secrets,endpointslices")
        return {f"{one['kind']}/{one['metadata']['name']}" for one in found} - NATIVE

    wait_until(
        lambda: left() == {"PersistentVolumeClaim/models-models"}, within=WITHIN, what="all but the claim is gone"
    )


def test_a_service_that_is_made_anew_at_once_is_whole(doomed: Kubectl) -> None:
    doomed.run("delete", "wsvc", "speech", "--wait=false")
    doomed.apply([whisper_service()])

    def whole() -> bool:
        found = doomed.find("wsvc", "speech")
        owned = objects(doomed, *OURS)
        return found is not None and all(
            name in owned and owned[name]["metadata"]["ownerReferences"][0]["uid"] == found["metadata"]["uid"]
            for name in EXPECTED
        )

    wait_until(whole, within=WITHIN, what="everything belongs to the new one")


def test_a_namespace_with_everything_in_it_is_deleted_without_hanging(doomed: Kubectl) -> None:
    doomed.run("delete", "namespace", str(doomed.namespace), "--timeout=90s", timeout=100)
    doomed.run("create", "namespace", str(doomed.namespace))
