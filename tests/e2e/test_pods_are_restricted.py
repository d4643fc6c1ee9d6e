"""Everything we run is admitted by the restricted Pod Security profile and holds no token."""

from typing import Any

import pytest

from tests.support.kubectl import Kubectl


@pytest.fixture
def pods(quickstart: Kubectl) -> list[dict[str, Any]]:
    """The pods of the quickstart's service: two runtimes and a router at least."""
    found = quickstart.items("pods", "-l", "whisper.livetranslate.io/service=whisper")
    assert len(found) >= 3
    return found


def test_the_namespace_enforces_restricted(quickstart: Kubectl) -> None:
    labels = quickstart.get("namespace", str(quickstart.namespace))["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_no_pod_holds_a_service_account_token(pods: list[dict[str, Any]]) -> None:
    for pod in pods:
        mounts = [m["mountPath"] for c in pod["spec"]["containers"] for m in c.get("volumeMounts", [])]
        assert not [m for m in mounts if "serviceaccount" in m], pod["metadata"]["name"]


def test_every_root_file_system_is_read_only(pods: list[dict[str, Any]]) -> None:
    for pod in pods:
        for container in pod["spec"]["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"], (pod["metadata"]["name"], container["name"])
