"""A claim for one node that pods on several want: told by the set and by the service, and over when it is over."""

from typing import Any

import pytest
from whisper_operator.plan.service import plan_service

from tests.unit.operator.world import TINY, World, ready_world
from tests.unit.service.builders import modelset, observed, serving

WAITING = (
    "Multi-Attach error for volume: it is already exclusively attached to one node and can't be attached to another"
)


def pod(name: str, node: str, phase: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"nodeName": node}, "status": {"phase": phase}}


def two_nodes(world: World) -> None:
    world.readers = [pod("a", "node1", "Running"), pod("b", "node2", "Pending")]
    world.job_events = [{"involvedObject": {"name": "b"}, "reason": "FailedAttachVolume", "message": WAITING}]


def test_it_is_named_with_the_pods_and_their_nodes_and_over_when_they_are() -> None:
    world = ready_world()
    two_nodes(world)
    world.settle()
    assert world.condition("StorageReady") == ("False", "VolumeNotShareable")
    assert world.condition("Stalled") == ("True", "VolumeNotShareable")
    assert "node1: a; node2: b" in world.resource.status.conditions[0].message
    world.readers, world.job_events = [pod("a", "node1", "Running"), pod("b", "node1", "Running")], []
    world.settle()
    assert world.condition("StorageReady") == ("True", "ClaimBound")
    assert world.condition("Ready") == ("True", "Ready")


@pytest.mark.parametrize("modes", [["ReadWriteMany"], ["ReadWriteOnce", "ReadOnlyMany"]])
def test_a_claim_for_many_nodes_is_not_blamed(modes: list[str]) -> None:
    world = ready_world(spec={"models": [TINY], "storage": {"claimTemplate": {"accessModes": ["ReadWriteMany"]}}})
    assert world.claim
    world.claim["spec"]["accessModes"] = modes
    two_nodes(world)
    world.settle()
    assert world.condition("StorageReady")[1] != "VolumeNotShareable"


def test_two_nodes_without_a_complaint_are_not_blamed() -> None:
    world = ready_world()
    two_nodes(world)
    world.job_events = []
    plan = world.settle()
    assert world.condition("StorageReady") == ("True", "ClaimBound")
    assert plan.look_again is not None, "Events are not watched: it looks whether there is a complaint meanwhile"
    world.readers = [pod("a", "node1", "Running"), pod("b", "node2", "Running")]
    assert world.settle().look_again is None


def test_a_service_whose_pods_hang_for_it_says_so() -> None:
    told = {"type": "StorageReady", "status": "False", "reason": "VolumeNotShareable", "message": "two nodes"}
    models = modelset()
    status = models.status.model_copy(
        update={
            "conditions": type(models.status)
            .model_validate({"conditions": [told | {"lastTransitionTime": "x"}]})
            .conditions
        }
    )
    labels = {"app.kubernetes.io/component": "cpu"}
    meta = {"name": "speech-cpu-b", "labels": labels}
    hanging = {"metadata": meta, "spec": {"nodeName": "node2"}, "status": {"phase": "Pending"}}
    seen = serving(modelset=models.model_copy(update={"status": status}), pods=(hanging,), router=None)
    runtime = (plan_service(seen).status or {})["runtimes"][0]
    assert "reason" not in runtime
    short = observed(modelset=seen.modelset, pods=(hanging,))
    runtime = (plan_service(short).status or {})["runtimes"][0]
    assert (runtime["reason"], runtime["message"]) == ("VolumeNotShareable", "two nodes")
    unplaced = {"metadata": meta, "status": {"phase": "Pending"}}
    runtime = (plan_service(observed(modelset=seen.modelset, pods=(unplaced,))).status or {})["runtimes"][0]
    assert runtime["reason"] == "RollingOut", "it waits for a node, and not for the volume"
