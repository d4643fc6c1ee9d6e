"""A cluster of the local cluster's own tests, beside the one that everything else is tested on."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster import oci, settings
from tests.cluster.binaries import ALL, PROBE, Binaries
from tests.cluster.builtin import Builtin
from tests.cluster.provider import Shape
from tests.support.kubectl import Kubectl

PROBE_IMAGE = "localhost/whisper-probe:1"


@dataclass(frozen=True)
class SelfTest:
    cluster: Builtin
    kubectl: Kubectl


def drop(_: str) -> None:
    """Progress that no one reads."""


@pytest.fixture(scope="session")
def binaries() -> Binaries:
    built = Binaries(settings.read().cache)
    built.build((*ALL, PROBE), say=print)
    return built


@pytest.fixture(scope="session")
def probe_archive(binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = tmp_path_factory.mktemp("probe") / "probe.tar"
    archive.write_bytes(oci.archive(binaries.path(PROBE).read_bytes(), PROBE_IMAGE))
    return archive


@pytest.fixture(scope="module")
def selftest(binaries: Binaries, probe_archive: Path) -> Iterator[SelfTest]:
    """Two nodes that a test may lose."""
    cluster = Builtin(settings.read().cache, "selftest", drop)
    cluster.up(Shape(nodes=2))
    try:
        cluster.load([probe_archive])
        kubectl = Kubectl(str(binaries.path("kubectl")), cluster.kubeconfig())
        yield SelfTest(cluster, kubectl)
    finally:
        cluster.down()
