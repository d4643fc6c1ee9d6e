"""On the cluster, what is deleted or edited comes back, and what is at rest stays at rest."""

import json
import time
from typing import Any

import pytest

from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

OURS = "app.kubernetes.io/managed-by=whisper-operator"
KINDS = "deployments,services,configmaps,serviceaccounts,poddisruptionbudgets,persistentvolumeclaims,wsvc,mset"


@pytest.mark.parametrize(
    "target",
    [
        "deployment/whisper-cpu",
        "deployment/whisper-router",
        "service/whisper",
        "service/whisper-cpu",
        "configmap/whisper-router",
    ],
)
def test_what_is_deleted_is_back(target: str, quickstart: Kubectl) -> None:
    before = quickstart.get(target)["metadata"]["uid"]

    quickstart.run("delete", target, "--wait=false", "--cascade=orphan")

    def back() -> bool:
        found = quickstart.find(target)
        return found is not None and found["metadata"]["uid"] != before

    wait_until(back, within=60, what=f"{target} is back")


EDITS: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("deployment/whisper-cpu", {"spec": {"replicas": 5}}, ("spec", "replicas")),
    ("service/whisper-cpu", {"spec": {"publishNotReadyAddresses": True}}, ("spec", "publishNotReadyAddresses")),
    ("configmap/whisper-router", {"data": {"envoy.yaml": "nonsense"}}, ("data", "envoy.yaml")),
]


@pytest.mark.parametrize(("target", "edit", "path"), EDITS, ids=[e[0] for e in EDITS])
def test_a_field_of_ours_edited_by_hand_is_put_back(
    target: str, edit: dict[str, Any], path: tuple[str, ...], quickstart: Kubectl
) -> None:
    def value() -> Any:
        found: Any = quickstart.get(target)
        for step in path:
            found = found.get(step)
        return found

    before = value()
    quickstart.run("patch", target, "--type=merge", "-p", json.dumps(edit))

    wait_until(lambda: value() == before, within=60, what=f"{target} {'.'.join(path)} is {before!r} again")


def versions(kubectl: Kubectl) -> dict[str, str]:
    objects = [
        *kubectl.items("deployments,services,configmaps,serviceaccounts,poddisruptionbudgets,pvc", "-l", OURS),
        *kubectl.items("wsvc,mset"),
    ]
    return {f"{o['kind']}/{o['metadata']['name']}": o["metadata"]["resourceVersion"] for o in objects}


def test_at_rest_no_resource_version_of_ours_changes(quickstart: Kubectl) -> None:
    quickstart.wait_condition("wsvc", "whisper", "Ready", within=120)
    for deployment in ("whisper-cpu", "whisper-router"):  # its last news is that its pods have been ready for a while
        quickstart.run("rollout", "status", f"deployment/{deployment}", "--timeout=180s", timeout=200)

    def settled() -> bool:
        first = versions(quickstart)
        time.sleep(5)
        return versions(quickstart) == first

    wait_until(settled, within=120, what="nothing changes for five seconds")
    before = versions(quickstart)
    time.sleep(30)

    assert versions(quickstart) == before
