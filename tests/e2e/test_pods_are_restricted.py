"""Everything we run is admitted by the restricted Pod Security profile, cannot write its root and holds no token."""

from typing import Any

import pytest

from scripts.demo_run.settings import OPERATOR_NAMESPACE
from tests.e2e.environment import Environment
from tests.e2e.hub import Hub
from tests.e2e.resources import model_set
from tests.support.kubectl import Kubectl
from tests.support.restricted import violations
from tests.support.waiting import wait_until

ENFORCED = "pod-security.kubernetes.io/enforce"
Pods = list[dict[str, Any]]


def broken(pods: Pods, *, may_hold_token: bool = False) -> dict[str, list[str]]:
    found = {pod["metadata"]["name"]: violations(pod["spec"], may_hold_token=may_hold_token) for pod in pods}
    return {name: rules for name, rules in found.items() if rules}


@pytest.fixture
def pods(quickstart: Kubectl) -> Pods:
    """The pods of the quickstart's service: two runtimes and a router at least."""
    found = quickstart.items("pods", "-l", "whisper.livetranslate.io/service=whisper")
    assert len(found) >= 3
    return found


def test_the_namespaces_enforce_restricted(quickstart: Kubectl, installed: Environment) -> None:
    for name in (str(quickstart.namespace), OPERATOR_NAMESPACE):
        assert installed.kubectl.get("namespace", name)["metadata"]["labels"][ENFORCED] == "restricted"


def test_runtimes_and_routers_keep_to_it_and_to_more(pods: Pods) -> None:
    assert broken(pods) == {}


def test_no_pod_of_a_service_holds_a_service_account_token(pods: Pods) -> None:
    for pod in pods:
        mounts = [m["mountPath"] for c in pod["spec"]["containers"] for m in c.get("volumeMounts", [])]
        assert not [m for m in mounts if "serviceaccount" in m], pod["metadata"]["name"]


def test_the_operator_keeps_to_it_and_to_more(installed: Environment) -> None:
    found = installed.kubectl.within(OPERATOR_NAMESPACE).items("pods", "-l", "app.kubernetes.io/component=operator")
    assert found
    assert broken(found, may_hold_token=True) == {}


def test_a_job_keeps_to_it_and_to_more(namespace: Kubectl, own_hub: Hub) -> None:
    own_hub.fault({"kind": "slow", "path": "*model.safetensors", "rate": 1_000_000})
    namespace.apply([model_set(source={"huggingFace": {"endpoint": own_hub.cluster_url}})])

    def running() -> Pods:
        found = namespace.items("pods", "-l", "app.kubernetes.io/component=download")
        return [pod for pod in found if pod["status"].get("phase") == "Running"]

    assert broken(wait_until(running, within=180, what="the download runs")) == {}
