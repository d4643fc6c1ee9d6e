"""A real API server for integration tests: no nodes, so no pod runs, and everything else is true."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts.demo_run.kubectl import namespace as restricted
from tests.cluster import settings
from tests.cluster.binaries import CONTROL_PLANE, Binaries
from tests.cluster.control_plane import ControlPlane
from tests.integration.operator_process import OperatorProcess, operator_process
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
STORAGE_CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "at-first-use", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": "example.com/none",
    "volumeBindingMode": "WaitForFirstConsumer",
}


@pytest.fixture(scope="session")
def binaries() -> Binaries:
    """The cluster's programs, built where they are not yet."""
    built = Binaries(settings.read().cache)
    built.build(("kubectl", *CONTROL_PLANE), say=print)
    return built


@pytest.fixture(scope="session")
def control_plane(binaries: Binaries) -> Iterator[Path]:
    """The kubeconfig of an API server, with its controllers, that all tests of this session share."""
    with ControlPlane(binaries) as kubeconfig:
        yield kubeconfig


@pytest.fixture(scope="session")
def helm(binaries: Binaries) -> Path:
    """The real Helm."""
    binaries.build(["helm"], say=print)
    return binaries.path("helm")


@contextmanager
def own_namespace(binaries: Binaries, kubeconfig: Path) -> Iterator[str]:
    kubectl = Kubectl(str(binaries.path("kubectl")), kubeconfig)
    name = f"test-{secrets.token_hex(4)}"
    kubectl.apply([restricted(name)])
    yield name
    kubectl.run("delete", "namespace", name, "--wait=false")


@pytest.fixture
def namespace(binaries: Binaries, control_plane: Path) -> Iterator[str]:
    """A namespace of the test's own; it goes away with all that is in it."""
    with own_namespace(binaries, control_plane) as name:
        yield name


@pytest.fixture(scope="module")
def shared_namespace(binaries: Binaries, control_plane: Path) -> Iterator[str]:
    """A namespace that the tests of one file share, for what takes long to make."""
    with own_namespace(binaries, control_plane) as name:
        yield name


@pytest.fixture(scope="session")
def api_server(binaries: Binaries, control_plane: Path) -> Kubectl:
    """The API server with our kinds and a storage class whose claims bind at first use, so that Jobs are made."""
    return with_our_kinds(Kubectl(str(binaries.path("kubectl")), control_plane))


def with_our_kinds(kubectl: Kubectl) -> Kubectl:
    kubectl.run("apply", "--server-side", "-f", str(ROOT / "crds"))
    kubectl.run("wait", "--for=condition=Established", "crd", "-l", "app.kubernetes.io/part-of=whisper")
    # what is established is served a moment later
    wait_until(lambda: kubectl.get("mset,wsvc", "--all-namespaces"), within=60, what="our kinds are served")
    kubectl.apply([STORAGE_CLASS])
    return kubectl


@pytest.fixture(scope="module")
def operator(api_server: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """The operator, as a process of its own, for all namespaces and all tests of one file."""
    log = tmp_path_factory.mktemp("operator") / "operator.log"
    with operator_process(api_server.kubeconfig, log) as running:
        yield running


@pytest.fixture
def place(api_server: Kubectl, operator: OperatorProcess, namespace: str) -> Kubectl:
    """kubectl in a namespace of the test's own, with the operator at work."""
    return api_server.within(namespace)
