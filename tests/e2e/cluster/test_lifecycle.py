"""The cluster comes up whatever was there before, and leaves nothing behind."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster import cgroups, settings, slots
from tests.cluster.addresses import Addresses
from tests.cluster.binaries import Binaries
from tests.cluster.builtin import Builtin
from tests.cluster.provider import Shape
from tests.e2e.cluster import probes
from tests.e2e.cluster.conftest import drop
from tests.e2e.cluster.traces import Traces
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

NAME = "lifecycle"
FOLDER = settings.read().cache / "cluster" / NAME
TIMES = 10


@pytest.fixture
def cluster(binaries: Binaries) -> Iterator[Builtin]:
    """One that is down before and after."""
    made = Builtin(settings.read().cache, NAME, drop)
    made.down()
    yield made
    made.down()


def nothing_left(before: Traces) -> None:
    """The kernel takes a moment to forget the namespaces of processes that have just ended."""

    def look() -> bool:
        left = Traces.look().more_than(before)
        assert not left, left
        return True

    wait_until(look, within=60, what="all is as before")
    assert not FOLDER.exists()


@pytest.mark.timeout(1200)
def test_ten_times_up_and_down_leaves_nothing(cluster: Builtin, binaries: Binaries, probe_archive: Path) -> None:
    before = Traces.look()
    for _ in range(TIMES):
        cluster.up(Shape(nodes=2))
        cluster.load([probe_archive])
        kubectl = Kubectl(str(binaries.path("kubectl")), cluster.kubeconfig(), probes.NAMESPACE)
        kubectl.apply(probes.manifests(["node1", "node2"]))
        kubectl.run("wait", "pod", "--all", "--for=condition=Ready", "--timeout=180s", timeout=200)
        cluster.down()
        nothing_left(before)


def test_up_on_a_running_cluster_changes_nothing(cluster: Builtin, binaries: Binaries) -> None:
    cluster.up(Shape(nodes=1))
    kubectl = Kubectl(str(binaries.path("kubectl")), cluster.kubeconfig())
    uid = kubectl.get("namespace", "default")["metadata"]["uid"]
    running = _members()
    cluster.up(Shape(nodes=1))
    assert kubectl.get("namespace", "default")["metadata"]["uid"] == uid
    assert running <= _members()


def test_another_shape_is_a_new_cluster_with_the_images_of_the_old_one(
    cluster: Builtin, binaries: Binaries, probe_archive: Path
) -> None:
    cluster.up(Shape(nodes=1))
    cluster.load([probe_archive])
    cluster.up(Shape(nodes=1, dns_ttl=30, node_grace=50))
    kubectl = Kubectl(str(binaries.path("kubectl")), cluster.kubeconfig(), probes.NAMESPACE)
    kubectl.apply(probes.manifests(["node1"]))
    kubectl.run("wait", "pod", "--all", "--for=condition=Ready", "--timeout=180s", timeout=200)


def _members() -> set[int]:
    groups = cgroups.detect()
    return {pid for slot in slots.of(FOLDER) for pid in cgroups.members(groups, Addresses(slot).prefix)}


def _network_is_made() -> bool:
    return any(Path("/run/netns", Addresses(slot).prefix).exists() for slot in slots.of(FOLDER))


def _control_plane_starts() -> bool:
    return (FOLDER / "logs" / "kube-apiserver.pid").exists()


def _first_node_starts() -> bool:
    return (FOLDER / "logs" / "node1-kubelet.log").exists()


@pytest.mark.parametrize("moment", [_network_is_made, _control_plane_starts, _first_node_starts])
def test_up_starts_over_after_everything_was_killed_half_way(
    cluster: Builtin, binaries: Binaries, moment: Callable[[], bool]
) -> None:
    before = Traces.look()
    command = [sys.executable, "-m", "tests.cluster", "--instance", NAME, "up", "--nodes", "2"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as coming_up:
        wait_until(moment, within=60, what="up is half-way")
        coming_up.kill()
    for pid in list(_members()):
        _kill(pid)
    cluster.up(Shape(nodes=2))
    assert set(cluster.status()["nodes"].values()) == {"Ready"}
    cluster.down()
    nothing_left(before)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it was a child of one that we killed before


def test_a_cluster_whose_folder_was_removed_is_cleared_away(cluster: Builtin) -> None:
    before = Traces.look()
    cluster.up(Shape(nodes=1))
    shutil.rmtree(FOLDER)
    cluster.down()
    nothing_left(before)
