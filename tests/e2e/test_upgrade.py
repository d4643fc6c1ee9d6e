"""The operator is rolled to a build that changes nothing of substance: what serves is not touched."""

import secrets
from collections.abc import Iterator

import pytest

from scripts.commands import output_of
from scripts.demo_run.settings import CHART, OPERATOR_NAMESPACE, RELEASE
from tests.e2e.environment import Environment
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

OPERATOR = ("-l", "app.kubernetes.io/component=operator")


def helm(installed: Environment, *words: str) -> None:
    common = ["--namespace", OPERATOR_NAMESPACE, "--kubeconfig", str(installed.kubectl.kubeconfig)]
    output_of([installed.helm, *words, *common, "--wait", "--timeout", "180s"], timeout=200)


def pods(kubectl: Kubectl, *selector: str) -> dict[str, int]:
    """How often the containers of each pod began anew, by the pod's UID; without those that are on their way out."""
    return {
        pod["metadata"]["uid"]: sum(one["restartCount"] for one in pod["status"].get("containerStatuses", []))
        for pod in kubectl.items("pods", *selector)
        if "deletionTimestamp" not in pod["metadata"]
    }


def generations(kubectl: Kubectl) -> dict[str, int]:
    return {one["metadata"]["name"]: one["metadata"]["generation"] for one in kubectl.items("deployments")}


@pytest.fixture
def upgraded(quickstart: Kubectl, installed: Environment) -> Iterator[tuple[dict[str, int], dict[str, int]]]:
    """Pods and generations before; then every pod of the operator is another one, with another log level."""
    quickstart.wait_condition("wsvc", "whisper", "Ready", within=120)
    before = pods(quickstart), generations(quickstart)
    system = installed.kubectl.within(OPERATOR_NAMESPACE)
    old = pods(system, *OPERATOR)
    changes = f"podAnnotations.build={secrets.token_hex(4)},logLevel=DEBUG"
    helm(installed, "upgrade", RELEASE, str(CHART), "--reuse-values", "--set-string", changes)
    try:
        wait_until(lambda: not old.keys() & pods(system, *OPERATOR).keys(), within=90, what="the old build is gone")
        yield before
    finally:
        helm(installed, "rollback", RELEASE)


def test_no_pod_restarts_and_the_new_build_is_at_work(
    quickstart: Kubectl, upgraded: tuple[dict[str, int], dict[str, int]]
) -> None:
    quickstart.run("delete", "poddisruptionbudget", "whisper-router")
    wait_until(lambda: quickstart.find("poddisruptionbudget", "whisper-router"), within=120, what="it is at work")
    quickstart.wait_condition("wsvc", "whisper", "Ready", within=120)

    assert (pods(quickstart), generations(quickstart)) == upgraded
