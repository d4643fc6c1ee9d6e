"""Faults of what stands first in a chain: the cpu serves, status says so in time, and the npu takes over again."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from signal import SIGKILL, SIGSTOP
from typing import Any

from tests.e2e.faults.fault import Length
from tests.e2e.faults.operator_faults import GRACEFUL_SECONDS, holder, leader, operators, passed_on
from tests.e2e.faults.scene import CPU, LOST, NPU, NPU_LABEL, Scene
from tests.e2e.faults.traffic_faults import busy, evict, node_lost
from tests.support.waiting import wait_until

NPU_PORT = 5001
STATUS_SECONDS = 5.0
"""From the fault until status says all of it."""
HUNG_SECONDS, NOTICED_SECONDS = 120, 10
"""How patient a runtime is with its device (`--hung-seconds`), and what else it takes until it ends itself."""
BACK_SECONDS = 360.0
"""From the mending until the npu serves again. Kubernetes starts a container that ends again and again up to five
minutes later each time; one that has ended once is back in seconds."""
WITHOUT_A_NODE_SECONDS = 60.0
"""The pod that goes first finishes what it has."""
MISSING, ENDED, NO_NODE = "ReplicasMissing", "ContainerFailed", "NoMatchingNode"
"""What the routers find, what a node says of a process that ended, and the scheduler of a pod it cannot place."""


@contextmanager
def npu_killed(scene: Scene, _: Length) -> Iterator[None]:
    with came_back(scene):
        scene.signal(scene.on(LOST, NPU), SIGKILL)
        fell_back(scene, (MISSING, ENDED))
        yield


@contextmanager
def npu_stopped(scene: Scene, _: Length) -> Iterator[None]:
    """Nobody wakes it: the node's own probe ends it, and the node starts it again."""
    with came_back(scene):
        scene.signal(scene.on(LOST, NPU), SIGSTOP)
        fell_back(scene, (MISSING,))
        yield


@contextmanager
def npu_device_stopped(scene: Scene, _: Length) -> Iterator[None]:
    """The process that has the device hangs, as in a driver; the runtime answers every probe, and must notice."""
    with came_back(scene):
        scene.cluster.signal_children(scene.on(LOST, NPU).container, SIGSTOP)
        fell_back(scene, (MISSING, ENDED), within=HUNG_SECONDS + NOTICED_SECONDS + STATUS_SECONDS)
        yield


@contextmanager
def npu_busy(scene: Scene, _: Length) -> Iterator[None]:
    """A full queue is no fault: the npu stays the active runtime, and nothing is degraded."""
    before = scene.status()
    with busy(f"http://{scene.on(LOST, NPU).address}:{NPU_PORT}"):
        yield
        after = scene.status()
    assert after["activeRuntime"] == NPU
    assert after.get("lastFailover") == before.get("lastFailover"), "a busy runtime was told of as one that failed"
    (npu,) = (one for one in after["runtimes"] if one["name"] == NPU)
    assert "reason" not in npu, npu


@contextmanager
def npu_node_lost(scene: Scene, length: Length) -> Iterator[None]:
    """With a router on it, but without the operator that leads: how long that takes is told by other rows."""
    _leads_elsewhere(scene)
    with came_back(scene), node_lost(scene, length):
        fell_back(scene, (MISSING,))
        yield


@contextmanager
def npu_node_unlabelled(scene: Scene, _: Length) -> Iterator[None]:
    """Nothing is broken: the cluster has no node for it any more, as when the only one that has an NPU is taken out."""
    with came_back(scene):
        scene.kubectl.run("label", "node", LOST, f"{NPU_LABEL}-")
        try:
            evict(scene.kubectl, scene.on(LOST, NPU))
            fell_back(scene, (NO_NODE,), WITHOUT_A_NODE_SECONDS)
            yield
        finally:
            scene.kubectl.run("label", "node", LOST, f"{NPU_LABEL}=true")


def fell_back(scene: Scene, reasons: Sequence[str], within: float = STATUS_SECONDS) -> None:
    """The fault has just been made; status says in time that the cpu serves instead, since when, and why."""
    began, at = time.monotonic(), datetime.now(UTC).replace(microsecond=0)

    def told() -> bool:
        status = scene.status()
        degraded = condition(status, "Degraded")
        failover = status.get("lastFailover") or {}
        assert status.get("activeRuntime") == CPU, status.get("activeRuntime")
        assert condition(status, "Ready")["status"] == "True", condition(status, "Ready")
        assert degraded["status"] == "True", degraded
        assert degraded["reason"] in reasons, degraded
        assert (failover.get("fromRuntime"), failover.get("toRuntime")) == (NPU, CPU), failover
        assert datetime.fromisoformat(failover["time"]) >= at, failover
        return True

    wait_until(told, within=within, every=0.1, what="status says that the cpu took over")
    scene.note(f"status after {time.monotonic() - began:.1f} s")


@contextmanager
def came_back(scene: Scene) -> Iterator[None]:
    """Around a fault and its mending: afterwards the npu serves again, and status keeps that it once did not."""
    yield
    began, said = time.monotonic(), scene.status()["lastFailover"]
    wait_until(lambda: scene.status()["activeRuntime"] == NPU, within=BACK_SECONDS, what="the npu takes over again")
    scene.note(f"npu again after {time.monotonic() - began:.1f} s")
    scene.settle()
    status = scene.status()
    assert condition(status, "Degraded")["status"] == "False", condition(status, "Degraded")
    assert status["lastFailover"] == said


def condition(status: dict[str, Any], kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in status["conditions"] if one["type"] == kind)
    return found


def _leads_elsewhere(scene: Scene) -> None:
    """The operator leads from a node that stays."""
    if leader(scene).node == LOST:
        before = holder(scene)
        evict(operators(scene), leader(scene))
        passed_on(scene, before, GRACEFUL_SECONDS)
