"""Everything we run is admitted by the restricted Pod Security profile and holds no token."""

from tests.support.kubectl import Kubectl


def test_the_namespaces_enforce_restricted_and_our_pods_run_there(quickstart: Kubectl) -> None:
    labels = quickstart.get("namespace", str(quickstart.namespace))["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert quickstart.items("pods", "-l", "whisper.livetranslate.io/service=whisper")


def test_no_pod_of_a_service_holds_a_service_account_token(quickstart: Kubectl) -> None:
    for pod in quickstart.items("pods", "-l", "whisper.livetranslate.io/service=whisper"):
        mounts = [m["mountPath"] for c in pod["spec"]["containers"] for m in c.get("volumeMounts", [])]
        assert not [m for m in mounts if "serviceaccount" in m], pod["metadata"]["name"]


def test_every_root_file_system_is_read_only(quickstart: Kubectl) -> None:
    for pod in quickstart.items("pods", "-l", "app.kubernetes.io/part-of=whisper"):
        for container in pod["spec"]["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"], (pod["metadata"]["name"], container["name"])
