"""A cluster with everything installed, as a user would have it: for the tests, and for what is measured on it."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from scripts.demo_run import chart
from scripts.demo_run.kubectl import Kubectl as DemoKubectl
from scripts.image_build import building, definitions
from scripts.image_build.settings import read_settings as read_image_settings
from scripts.progress import Progress
from tests.cluster import settings as cluster_settings
from tests.cluster.binaries import Binaries
from tests.cluster.choice import choose
from tests.cluster.provider import Cluster, Shape
from tests.e2e.hub import Hub
from tests.support.kubectl import Kubectl

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
KEEP = "WHISPER_KEEP_CLUSTER"  # set while working on a test: the cluster stays up, and the next run finds it
TIMINGS = "WHISPER_CLUSTER_TIMINGS"  # `kubeadm`: answers of DNS live long, and lost nodes are noticed late
QUICK, KUBEADM = Shape(nodes=2), Shape(nodes=2, dns_ttl=30, node_grace=50)

TERMINAL = sys.__stderr__ or sys.stderr  # progress of minutes is worth seeing while pytest captures the rest


@dataclass(frozen=True)
class Environment:
    """A cluster that is up, and the images that it has."""

    provider: Cluster
    shape: Shape
    kubectl: Kubectl
    helm: str
    images: Mapping[str, str]


def say(line: str) -> None:
    """Tell whoever watches."""
    print(line, file=TERMINAL, flush=True)


def chosen_shape() -> Shape:
    """As the environment says."""
    return {"": QUICK, "kubeadm": KUBEADM}[os.environ.get(TIMINGS, "")]


@contextmanager
def cluster(instance: str, shape: Shape) -> Iterator[Environment]:
    """Two nodes with our images on them, for as long as the block lasts."""
    settings = cluster_settings.read()
    provider = choose(settings, say, instance)
    provider.up(shape)
    try:
        binaries = Binaries(settings.cache)
        built = building.build(definitions.IMAGES, read_image_settings(), Progress(TERMINAL))
        provider.load([image.archive for image in built])
        kubectl = Kubectl(str(binaries.path("kubectl")), provider.kubeconfig())
        images = {image.name: image.reference for image in built}
        yield Environment(provider, shape, kubectl, str(binaries.path("helm")), images)
    finally:
        if not os.environ.get(KEEP):
            provider.down()


def install(environment: Environment, hub: Hub) -> None:
    """The chart, from this checkout, with the images that were built from it."""
    demo = DemoKubectl(environment.kubectl.binary, environment.kubectl.kubeconfig)
    chart.install(environment.helm, demo, chart.values(dict(environment.images), hub.cluster_url), Progress(TERMINAL))


def make_namespace(kubectl: Kubectl, name: str) -> Kubectl:
    """A namespace that enforces the restricted Pod Security profile."""
    kubectl.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": RESTRICTED}}])
    return kubectl.within(name)
