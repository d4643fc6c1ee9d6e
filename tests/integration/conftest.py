"""A real API server for integration tests: no nodes, so no pod runs, and everything else is true."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import settings
from tests.cluster.binaries import CONTROL_PLANE, Binaries
from tests.cluster.control_plane import ControlPlane
from tests.support.kubectl import Kubectl


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


@pytest.fixture
def namespace(binaries: Binaries, control_plane: Path) -> Iterator[str]:
    """A namespace of the test's own; it goes away with all that is in it."""
    kubectl = Kubectl(str(binaries.path("kubectl")), control_plane)
    name = f"test-{secrets.token_hex(4)}"
    kubectl.run("create", "namespace", name)
    yield name
    kubectl.run("delete", "namespace", name, "--wait=false")
