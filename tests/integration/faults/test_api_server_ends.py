"""The real API server, and the etcd behind it, stopped or killed and begun anew."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.binaries import Binaries
from tests.cluster.control_plane import ControlPlane
from tests.integration.conftest import with_our_kinds
from tests.integration.faults.patience import asks_little_and_lives
from tests.integration.faults.scene import Scene
from tests.integration.operator_process import OperatorProcess, operator_process
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

WITHIN = 120.0
"""Seconds from the API server's first answer until all is right: a request that it held ends after 20, a watch waits
for 10, the cluster's own controllers have to come back, too, and the rest is for slow machines."""


@pytest.fixture(scope="module")
def plane(binaries: Binaries) -> Iterator[tuple[ControlPlane, Kubectl]]:
    """A control plane of its own: no other test has to bear what happens to it."""
    plane = ControlPlane(binaries)
    with plane as kubeconfig:
        kubectl = with_our_kinds(Kubectl(str(binaries.path("kubectl")), kubeconfig))
        kubectl.run("create", "namespace", "here")
        yield plane, kubectl.within("here")


@pytest.fixture(scope="module")
def running(
    plane: tuple[ControlPlane, Kubectl], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ControlPlane, OperatorProcess, Scene]]:
    log: Path = tmp_path_factory.mktemp("operator") / "operator.log"
    scene = Scene(plane[1])
    with operator_process(plane[1].kubeconfig, log, namespaces="here") as operator:
        scene.begin()
        yield plane[0], operator, scene


def answers(kubectl: Kubectl) -> bool:
    return kubectl.run("get", "--raw", "/readyz", "--request-timeout=2s") == "ok"


@pytest.mark.parametrize(
    ("program", "fate", "seconds"),
    [
        ("kube-apiserver", "killed", 5),
        ("kube-apiserver", "stopped", 10),
        pytest.param("kube-apiserver", "killed", 60, marks=pytest.mark.long),
        pytest.param("kube-apiserver", "stopped", 60, marks=pytest.mark.long),
        pytest.param("etcd", "killed", 60, marks=pytest.mark.long),
        pytest.param("etcd", "stopped", 60, marks=pytest.mark.long),
    ],
)
def test_it_is_got_over(
    program: str, fate: str, seconds: float, running: tuple[ControlPlane, OperatorProcess, Scene]
) -> None:
    plane, operator, scene = running
    scene.prepare()
    with plane.programs.without(program) if fate == "killed" else plane.programs.stopped(program):
        asks_little_and_lives(operator, seconds)
    wait_until(lambda: answers(scene.place), within=120, what="the API server answers again")
    scene.disturb()
    wait_until(scene.repaired, within=WITHIN, what="all is right afterwards")
