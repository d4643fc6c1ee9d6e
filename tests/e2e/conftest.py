"""The cluster with everything installed, as a user would have it; made once for all tests."""

import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.demo_run import chart
from scripts.demo_run.kubectl import Kubectl as DemoKubectl
from scripts.image_build import building, definitions
from scripts.image_build.settings import read_settings as read_image_settings
from scripts.progress import Progress
from tests.cluster import settings as cluster_settings
from tests.cluster.binaries import Binaries
from tests.cluster.choice import choose
from tests.cluster.provider import Shape
from tests.e2e.hub import Hub, deployed
from tests.e2e.resources import model_set, whisper_service
from tests.support.kubectl import Kubectl

ROOT = Path(__file__).parents[2]
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
INSTANCE = "tests"
KEEP = "WHISPER_KEEP_CLUSTER"  # set while working on a test: the cluster stays up, and the next run finds it

TERMINAL = sys.__stderr__ or sys.stderr  # progress of minutes is worth seeing while pytest captures the rest


@dataclass(frozen=True)
class Environment:
    """A cluster that is up, and the images that it has."""

    kubectl: Kubectl
    helm: str
    images: Mapping[str, str]


def _say(line: str) -> None:
    print(line, file=TERMINAL, flush=True)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Environment]:
    """Two nodes with our images on them."""
    settings = cluster_settings.read()
    provider = choose(settings, _say, INSTANCE)
    provider.up(Shape(nodes=2))
    try:
        binaries = Binaries(settings.cache)
        built = building.build(definitions.IMAGES, read_image_settings(), Progress(TERMINAL))
        provider.load([image.archive for image in built])
        kubectl = Kubectl(str(binaries.path("kubectl")), provider.kubeconfig())
        yield Environment(kubectl, str(binaries.path("helm")), {i.name: i.reference for i in built})
    finally:
        if not os.environ.get(KEEP):
            provider.down()


def make_namespace(kubectl: Kubectl, name: str) -> Kubectl:
    """A namespace that enforces the restricted Pod Security profile."""
    kubectl.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": RESTRICTED}}])
    return kubectl.within(name)


@pytest.fixture(scope="session")
def hub(cluster: Environment) -> Iterator[Hub]:
    """The hub that serves everyone, and is never broken on purpose."""
    with deployed(make_namespace(cluster.kubectl, "hub"), cluster.images["testhub"]) as there:
        yield there


@pytest.fixture(scope="session")
def installed(cluster: Environment, hub: Hub) -> Environment:
    """The chart, from this checkout, with the images that were built from it."""
    demo = DemoKubectl(cluster.kubectl.binary, cluster.kubectl.kubeconfig)
    chart.install(cluster.helm, demo, chart.values(dict(cluster.images), hub.cluster_url), Progress(TERMINAL))
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
    """The routed Service of the quickstart, from this machine."""
    quickstart.wait_condition("wsvc", "whisper", "Ready", within=120)
    with quickstart.forwarded("svc/whisper", 80) as url:
        yield url


@pytest.fixture
def empty_service_url(installed: Environment, namespace: Kubectl) -> Iterator[str]:
    """A routed Service whose model never comes."""
    namespace.apply([model_set(suspend=True), whisper_service()])
    namespace.run("wait", "--for=create", "deployment/speech-router", "--timeout=60s")
    namespace.run("rollout", "status", "deployment/speech-router", "--timeout=90s")
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
