"""The cluster with everything installed, as a user would have it; made once for all tests."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import environment
from tests.e2e.environment import Environment, make_namespace
from tests.e2e.hub import Hub, deployed
from tests.e2e.resources import model_set, whisper_service
from tests.support.kubectl import Kubectl

ROOT = Path(__file__).parents[2]
INSTANCE = "tests"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Environment]:
    """Two nodes with our images on them."""
    with environment.cluster(INSTANCE, environment.chosen_shape()) as up:
        yield up


@pytest.fixture(scope="session")
def hub(cluster: Environment) -> Iterator[Hub]:
    """The hub that serves everyone, and is never broken on purpose."""
    with deployed(make_namespace(cluster.kubectl, "hub"), cluster.images["testhub"]) as there:
        yield there


@pytest.fixture(scope="session")
def installed(cluster: Environment, hub: Hub) -> Environment:
    """The chart, from this checkout, with the images that were built from it."""
    environment.install(cluster, hub)
    return cluster


@pytest.fixture(scope="session")
def quickstart(installed: Environment) -> Kubectl:
    """examples/quickstart.yaml as it stands, applied and ready."""
    kubectl = make_namespace(installed.kubectl, "quickstart")
    kubectl.apply((ROOT / "examples" / "quickstart.yaml").read_text())
    kubectl.wait_condition("wsvc", "whisper", "Ready", within=300)
    return kubectl


@pytest.fixture
def service_url(quickstart: Kubectl) -> Iterator[str]:
    """The routed Service of the quickstart, from this machine.

    `kubectl port-forward` takes any pod of a Service, also a router that is not ready yet.
    """
    quickstart.wait_condition("wsvc", "whisper", "Ready", within=120)
    quickstart.run("rollout", "status", "deployment/whisper-router", "--timeout=120s", timeout=140)
    with quickstart.forwarded("svc/whisper", 80) as url:
        yield url


@pytest.fixture
def empty_service_url(installed: Environment, namespace: Kubectl) -> Iterator[str]:
    """A routed Service whose model never comes."""
    namespace.apply([model_set(suspend=True), whisper_service()])
    namespace.run("wait", "--for=create", "deployment/speech-router", "--timeout=110s")
    namespace.run("rollout", "status", "deployment/speech-router", "--timeout=180s", timeout=200)
    with namespace.forwarded("svc/speech", 80) as url:
        yield url


@pytest.fixture
def namespace(installed: Environment) -> Iterator[Kubectl]:
    """A namespace of the test's own, gone with all that is in it afterwards."""
    kubectl = make_namespace(installed.kubectl, f"e2e-{secrets.token_hex(3)}")
    yield kubectl
    installed.kubectl.run("delete", "namespace", str(kubectl.namespace), "--ignore-not-found", "--wait=false")


@pytest.fixture
def own_hub(namespace: Kubectl, installed: Environment) -> Iterator[Hub]:
    """A hub that the test may break."""
    with deployed(namespace, installed.images["testhub"]) as there:
        yield there
