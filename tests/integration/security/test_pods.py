"""Every pod that comes of ours is admitted where the restricted profile is enforced, and keeps to more than that."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.resources import model_set, whisper_service
from tests.integration import jobs
from tests.integration.operator_process import OperatorProcess
from tests.integration.security.rights import rendered
from tests.support.api_client import Object
from tests.support.kubectl import Kubectl
from tests.support.restricted import violations
from tests.support.waiting import wait_until

ENFORCED = "pod-security.kubernetes.io/enforce"


def pods(place: Kubectl, component: str) -> list[Object]:
    """At least one, as the controllers made it."""
    selector = ("-l", f"app.kubernetes.io/component={component}")
    return wait_until(lambda: place.items("pods", *selector), within=120, what=f"a pod of {component}")


@pytest.fixture
def place(operator: OperatorProcess, api_server: Kubectl, namespace: str) -> Kubectl:
    assert operator.get("/readyz")[0] == 200
    assert api_server.get("namespace", namespace)["metadata"]["labels"][ENFORCED] == "restricted"
    return api_server.within(namespace)


def test_those_of_jobs_runtimes_and_routers(place: Kubectl) -> None:
    secret: dict[str, Any] = {"tokenSecretRef": {"name": "hub"}}
    place.apply([model_set(source={"huggingFace": secret}), whisper_service()])
    seen = []
    for component in jobs.STEPS:
        seen += pods(place, component)
        jobs.succeed(place, component)
    seen += [*pods(place, "cpu"), *pods(place, "router")]

    assert len(seen) >= 4
    assert {one["metadata"]["name"]: found for one in seen if (found := violations(one["spec"]))} == {}


def test_the_operators_own(helm: Path, place: Kubectl) -> None:
    chart = rendered(helm, str(place.namespace))
    place.apply([one for one in chart if one["kind"] in ("ServiceAccount", "Deployment")])
    found = pods(place, "operator")
    assert [violations(one["spec"], may_hold_token=True) for one in found] == [[]] * len(found)


def test_a_pod_that_keeps_to_nothing_is_found_out() -> None:
    container = {"name": "a", "securityContext": {"privileged": True, "runAsUser": 0}, "ports": [{"hostPort": 80}]}
    volume = {"name": "host", "hostPath": {"path": "/"}}
    assert len(violations({"hostNetwork": True, "containers": [container], "volumes": [volume]})) == 12
