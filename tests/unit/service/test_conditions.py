"""What a person is told, for each state that a service can be in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from whisper_operator.plan.service import plan_service
from whisper_operator.plan.types import ObservedService, RouterHealth

from tests.unit.service.builders import (
    again,
    conditions,
    health,
    live,
    modelset,
    observed,
    service,
    serving,
)


def pod(component: str, **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": f"speech-{component}-1", "labels": {"app.kubernetes.io/component": component}},
        "status": status,
    }


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {
        "containerStatuses": [
            {"ready": False, "image": "x:1", "state": {"waiting": {"reason": reason, "message": message}}}
        ]
    }


UNSCHEDULABLE = {
    "phase": "Pending",
    "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no cpu"}],
}
OOM = {
    "containerStatuses": [
        {
            "ready": False,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
        }
    ]
}


def starting(**fields: Any) -> ObservedService:
    """Everything was applied; no pod is ready yet."""
    owned = live(plan_service(observed()), ready={"speech-cpu": 0, "speech-router": 0})
    return observed(**{"owned": owned} | fields)


@dataclass
class Case:
    says: str
    seen: ObservedService
    expect: Mapping[str, tuple[str, str]]
    absent: tuple[str, ...] = ()
    active: str | None = None
    message: str = field(default="")


OK = ("True", "Ready")
CASES = [
    Case(
        "all is well",
        serving(),
        {"Ready": OK, "ModelsReady": OK, "RoutingReady": OK, "Degraded": ("False", "Ready")},
        absent=("Reconciling", "Stalled"),
        active="cpu",
    ),
    Case(
        "nothing exists yet",
        observed(),
        {
            "Ready": ("False", "RollingOut"),
            "Reconciling": ("True", "RollingOut"),
            "RoutingReady": ("False", "RollingOut"),
        },
        absent=("Stalled",),
    ),
    Case(
        "no model set → waiting, not stalled, since it may come",
        observed(modelset=None),
        {"Ready": ("False", "ModelSetNotFound"), "Reconciling": ("True", "ModelSetNotFound")},
        absent=("Stalled",),
        message="create it",
    ),
    Case(
        "the set lacks the model → a person must act",
        observed(modelset=modelset(model="base")),
        {"Ready": ("False", "VariantMissing"), "Stalled": ("True", "VariantMissing")},
        absent=("Reconciling",),
        message="spec.models",
    ),
    Case(
        "the model is on its way",
        observed(modelset=modelset("Downloading")),
        {"Ready": ("False", "VariantPending"), "ModelsReady": ("False", "VariantPending")},
        message="Downloading",
    ),
    Case(
        "the image cannot be pulled",
        starting(pods=(pod("cpu", **waiting("ImagePullBackOff", "not found")),)),
        {"Ready": ("False", "ImagePullFailed")},
        message="not found",
    ),
    Case(
        "no node takes the pod",
        starting(pods=(pod("cpu", **UNSCHEDULABLE),)),
        {"Ready": ("False", "Unschedulable")},
        message="no cpu",
    ),
    Case(
        "memory is too small",
        starting(pods=(pod("cpu", **OOM),)),
        {"Ready": ("False", "OutOfMemory")},
        message="limits.memory",
    ),
    Case(
        "the router cannot start",
        starting(
            owned=live(plan_service(observed()), ready={"speech-router": 0}),
            pods=(pod("router", **waiting("CreateContainerConfigError", "no config")),),
        ),
        {"Ready": ("False", "ContainerFailed"), "RoutingReady": ("False", "ContainerFailed")},
        message="no config",
    ),
    Case(
        "the router finds nobody healthy, whatever the pods say",
        serving(router=health(0, 0)),
        {
            "Ready": ("False", "NoHealthyRuntime"),
            "RoutingReady": ("False", "NoHealthyRuntime"),
            "Degraded": ("False", "Progressing"),
        },
    ),
    Case(
        "no router can be asked → the pods' own readiness counts, and the message says so",
        serving(router=None),
        {"Ready": OK, "RoutingReady": OK},
        active="cpu",
    ),
    Case(
        "routers that do not answer are like none",
        serving(router=health(None, None)),
        {"Ready": OK, "RoutingReady": OK},
        active="cpu",
    ),
    Case(
        "one of two healthy → it serves, degraded",
        serving(router=health(1, 1)),
        {"Ready": OK, "Degraded": ("True", "ReplicasMissing")},
        active="cpu",
    ),
    Case(
        "one router of two does not answer → the other serves, degraded",
        serving(router=health(2, None)),
        {"Ready": OK, "RoutingReady": OK, "Degraded": ("True", "RouterUnreachable")},
        active="cpu",
    ),
    Case(
        "one router of two reaches no pod → the other serves, degraded",
        serving(router=health(2, 0)),
        {"Ready": OK, "RoutingReady": OK, "Degraded": ("True", "ReplicasMissing")},
        active="cpu",
    ),
    Case(
        "a router pod is missing → the other serves, degraded",
        serving(owned=live(plan_service(observed()), ready={"speech-router": 1}), router=health(2)),
        {"Ready": OK, "RoutingReady": OK, "Degraded": ("True", "ReplicasMissing")},
        active="cpu",
    ),
    Case(
        "no node takes the second router pod → its reason is told",
        serving(
            owned=live(plan_service(observed()), ready={"speech-router": 1}),
            pods=(pod("router", **UNSCHEDULABLE),),
            router=health(2),
        ),
        {"Ready": OK, "Degraded": ("True", "Unschedulable")},
        active="cpu",
    ),
    Case(
        "zero replicas asked → not ready, and nothing is on its way",
        serving(resource=service(runtimes={"cpu": {"replicas": 0}}), router=health(0, 0, total=0)),
        {"Ready": ("False", "NoHealthyRuntime")},
        message="replicas: 0",
    ),
    Case(
        "the API server refused an object → a person must act",
        observed(refusals=("the API server refused Deployment/speech-cpu: quota",)),
        {"Ready": ("False", "Refused"), "Stalled": ("True", "Refused")},
        absent=("Reconciling",),
        message="quota",
    ),
    Case(
        "a name is taken → a person must act",
        observed(taken=("Service/speech",)),
        {"Ready": ("False", "NameTaken"), "Stalled": ("True", "NameTaken")},
        message="Service/speech",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_conditions_when(case: Case) -> None:
    plan = plan_service(case.seen)
    assert plan.status is not None
    told = conditions(plan)
    assert {kind: told.get(kind) for kind in case.expect} == case.expect
    assert not set(case.absent) & set(told)
    assert plan.status.get("activeRuntime") == case.active
    assert case.message in next(one["message"] for one in plan.status["conditions"] if one["type"] == "Ready")


def test_the_message_says_where_it_comes_from_when_no_router_answers() -> None:
    plan = plan_service(serving(router=None))
    assert plan.status is not None
    routing = next(one for one in plan.status["conditions"] if one["type"] == "RoutingReady")
    assert routing["message"].startswith("No router pod can be asked")


@pytest.mark.parametrize(
    ("router", "says"),
    [
        (health(2, None), "no answer from speech-router-1"),
        (health(2, 1), "1 of 2 cpu healthy for speech-router-1; the other router pods reach more"),
        (health(1, 1), "1 of 2 cpu healthy"),
    ],
    ids=["silent", "disagreeing", "agreeing"],
)
def test_degraded_names_the_router_pod_that_stands_apart(router: RouterHealth, says: str) -> None:
    plan = plan_service(serving(router=router))
    assert plan.status is not None
    message = next(one["message"] for one in plan.status["conditions"] if one["type"] == "Degraded")
    assert message.endswith(says)


def test_the_number_of_healthy_pods_is_what_every_router_pod_reaches() -> None:
    plan = plan_service(serving(router=health(2, 1, None)))
    assert plan.status is not None
    assert plan.status["runtimes"][0]["healthy"] == 1


def test_events_tell_a_change_once() -> None:
    first = observed()
    plan = plan_service(first)
    assert [event.reason for event in plan.events] == ["Ready"], "that pods start is no news"
    assert not plan_service(again(first, plan, owned=())).events


def test_becoming_ready_and_degraded_are_events() -> None:
    before = serving()
    ready = plan_service(before)
    assert ("Normal", "Ready") in {(event.type, event.reason) for event in ready.events}
    worse = plan_service(again(before, ready, router=health(1, 1)))
    assert [(event.type, event.reason) for event in worse.events] == [("Warning", "ReplicasMissing")]
    better = plan_service(again(again(before, ready), worse, router=health(2, 2)))
    assert [(event.type, event.reason) for event in better.events] == [("Normal", "Ready")]


def test_the_way_to_ready_is_no_warning_and_falling_back_is() -> None:
    first = observed()
    starting_up = plan_service(first)
    assert {event.type for event in starting_up.events} == {"Normal"}
    there = serving()
    ready = plan_service(there)
    lost = plan_service(again(there, ready, router=health(0, 0)))
    assert [(event.type, event.reason) for event in lost.events] == [("Warning", "NoHealthyRuntime")]


def test_a_new_spec_is_not_ready_by_the_old_ones_pods() -> None:
    before = serving()
    changed = plan_service(
        serving(
            owned=before.owned, resource=service(runtimes={"cpu": {"replicas": 2, "queue": {"maxAudioSeconds": 5}}})
        )
    )
    assert conditions(changed)["Reconciling"] == ("True", "RollingOut")


def test_a_service_that_is_being_deleted_is_left_to_the_garbage_collector() -> None:
    going = service().model_dump(by_alias=True)
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    plan = plan_service(observed(resource=type(service()).model_validate(going)))
    assert plan == type(plan)()


@pytest.mark.parametrize("router", [health(1, 1), health(0, 0), None])
def test_all_that_a_service_depends_on_is_watched_so_nothing_is_looked_at_again(router: RouterHealth | None) -> None:
    assert plan_service(serving(router=router)).look_again is None
