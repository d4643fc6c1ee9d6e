"""What is different about the npu runtime: its devices, its nodes, its compiled models, and what comes after it."""

from typing import Any

import pytest
from whisper_operator.api.modelset import ModelSet
from whisper_operator.plan.service import plan_service
from whisper_operator.plan.types import ObservedService, Plan, RouterHealth, TierHealth

from tests.unit.service.builders import DIGEST, Object, again, conditions, live, observed, service

LABELS = ("whisper.livetranslate.io/npu", "intel.feature.node.kubernetes.io/npu")
ACCEL = {"npu.intel.com/accel": "1"}


def models(*names: str, openvino: str = "Ready") -> ModelSet:
    forms = {"openvino": openvino, "onnx": "Ready"}
    variants = [
        {"name": name, "format": form, "precision": "int8", "state": state, "digest": DIGEST}
        for name in names or ("tiny.en",)
        for form, state in forms.items()
    ]
    offered = [{"format": form, "precision": "int8"} for form in forms]
    return ModelSet.model_validate(
        {
            "metadata": {"name": "models", "namespace": "demo", "uid": "0de1", "generation": 1},
            "spec": {"models": [{"name": name, "variants": offered} for name in names or ("tiny.en",)]},
            "status": {"variants": variants, "storage": {"claimName": "models-models"}},
        }
    )


def both(**npu: Any) -> ObservedService:
    return observed(resource=service(runtimes={"npu": npu, "cpu": {}}), modelset=models())


def seen(npu: int, cpu: int = 1) -> RouterHealth:
    """Healthy pods, as two routers see them."""
    view = {"npu": TierHealth(npu, 1), "cpu": TierHealth(cpu, 1)}
    return RouterHealth({"speech-router-0": view, "speech-router-1": view})


def deployment(plan: Plan, name: str = "speech-npu") -> Object:
    return next(one for one in plan.apply if one["kind"] == "Deployment" and one["metadata"]["name"] == name)


def pod_of(**npu: Any) -> Object:
    found: Object = deployment(plan_service(both(**npu)))["spec"]["template"]["spec"]
    return found


def status(plan: Plan) -> Object:
    assert plan.status is not None
    return plan.status


def waiting(says: str, **spec: Any) -> Object:
    unplaced = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": says}
    return {
        "metadata": {"name": "speech-npu-1", "labels": {"app.kubernetes.io/component": "npu"}},
        "spec": spec,
        "status": {"phase": "Pending", "conditions": [unplaced]},
    }


def after(before: ObservedService, *, npu: int, **fields: Any) -> tuple[ObservedService, Plan]:
    """The service once the routers see so many npu pods."""
    plan = plan_service(before)
    owned = live(plan, ready={"speech-npu": npu})
    now = again(before, plan, **{"modelset": models(), "owned": owned, "router": seen(npu)} | fields)
    return now, plan_service(now)


def test_it_is_tried_before_the_cpu() -> None:
    plan = plan_service(both())
    assert status(plan)["chain"] == "npu → cpu"


def test_its_pods_go_to_nodes_with_either_label_and_get_the_device() -> None:
    pod = pod_of()
    terms = pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    asked = [[(one["key"], one["operator"], one["values"]) for one in term["matchExpressions"]] for term in terms]
    assert asked == [[(label, "In", ["true"])] for label in LABELS]
    for container in (*pod["initContainers"], *pod["containers"]):
        for kind in ("requests", "limits"):
            assert container["resources"][kind].items() >= ACCEL.items()


@pytest.mark.parametrize("order", [["CPU"], ["GPU", "CPU"]])
def test_without_the_npu_in_its_order_it_needs_neither_node_nor_device(order: list[str]) -> None:
    plan = plan_service(both(deviceOrder=order))
    pod = deployment(plan)["spec"]["template"]["spec"]
    assert "affinity" not in pod
    assert set(pod["containers"][0]["resources"]["limits"]) == {"cpu", "memory"}
    assert f"--device-order={','.join(order)}" in pod["containers"][0]["args"]
    assert deployment(plan)["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_an_empty_placement_is_anywhere_and_no_devices_are_none() -> None:
    pod = pod_of(placement={}, devices=[])
    assert not {"affinity", "nodeSelector", "tolerations"} & set(pod)
    assert set(pod["containers"][0]["resources"]["limits"]) == {"cpu", "memory"}


def test_a_new_pod_does_not_wait_for_the_device_of_the_old_one() -> None:
    strategy = deployment(plan_service(both()))["spec"]["strategy"]
    assert strategy["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}


def test_what_is_compiled_ahead_is_what_is_served_and_both_see_the_same_folder() -> None:
    pod = pod_of(deviceOrder=["NPU", "GPU"])
    ahead, serving = pod["initContainers"][0], pod["containers"][0]
    assert (ahead["args"][0], serving["args"][0]) == ("compile", "serve")
    assert set(ahead["args"][1:]) < set(serving["args"])
    assert ahead["volumeMounts"] == serving["volumeMounts"]
    assert ahead["securityContext"] == serving["securityContext"]
    assert "--compile-cache=/compiled" in ahead["args"]
    assert not {"ports", "startupProbe", "livenessProbe"} & set(ahead)


def test_compiling_may_take_half_an_hour() -> None:
    probe = pod_of()["containers"][0]["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] > 1800


def test_the_cpu_runtime_compiles_nothing() -> None:
    pod = deployment(plan_service(both()), "speech-cpu")["spec"]["template"]["spec"]
    assert "initContainers" not in pod
    assert {volume["name"] for volume in pod["volumes"]} == {"models", "tmp"}


def test_adding_it_changes_no_pod_of_the_cpu_runtime() -> None:
    alone = plan_service(observed(resource=service(runtimes={"cpu": {}}), modelset=models()))
    assert deployment(alone, "speech-cpu") == deployment(plan_service(both()), "speech-cpu")


def test_a_model_of_its_own_is_served_under_the_services_name() -> None:
    asked = service(model="base", runtimes={"npu": {"model": "tiny.en"}, "cpu": {}})
    plan = plan_service(observed(resource=asked, modelset=models("base", "tiny.en")))
    served = {one["name"]: one["model"] for one in status(plan)["runtimes"]}
    assert served == {"npu": "tiny.en", "cpu": "base"}
    arguments = deployment(plan)["spec"]["template"]["spec"]["containers"][0]["args"]
    assert {"--model=tiny.en", "--served-model-name=base"} <= set(arguments)


def test_a_variant_that_is_not_made_yet_keeps_the_cpu_from_nothing() -> None:
    start = observed(resource=service(runtimes={"npu": {}, "cpu": {}}), modelset=models(openvino="Converting"))
    first = plan_service(start)
    assert not [one for one in first.apply if one["kind"] == "Deployment" and one["metadata"]["name"] == "speech-npu"]
    _, plan = after(start, npu=0, modelset=models(openvino="Converting"))
    assert conditions(plan)["Ready"] == ("True", "Ready")
    assert conditions(plan)["Degraded"] == ("True", "VariantPending")


NO_LABEL = "didn't match Pod's node affinity/selector"
NOWHERE = [
    f"0/1 nodes are available: 1 node(s) {NO_LABEL}.",
    f"0/2 nodes are available: 2 node(s) {NO_LABEL}. preemption: 0/2 nodes are available: 2 Preemption is not helpful.",
    f"0/2 nodes are available: 1 node(s) had untolerated taint {{a.io/b: }}, 1 node(s) {NO_LABEL}. no new claims",
    f"0/3 nodes are available: 1 node(s) were unschedulable, 1 node(s) had untolerated taint(s), 1 node(s) {NO_LABEL}.",
]
ELSEWISE = [
    "0/2 nodes are available: 2 Insufficient npu.intel.com/accel.",
    f"0/2 nodes are available: 1 Insufficient npu.intel.com/accel, 1 node(s) {NO_LABEL}.",
    "0/1 nodes are available: 1 node(s) had untolerated taint {a: b}.",
    "no nodes available to schedule pods",
]


@pytest.mark.parametrize("says", NOWHERE)
def test_a_cluster_without_such_a_node_is_named_and_waited_for_by_nobody(says: str) -> None:
    now, plan = after(both(), npu=0, pods=(waiting(says, nodeSelector={"kind": "laptop"}),))
    found = conditions(plan)
    assert found["Ready"] == ("True", "Ready")
    assert found["Degraded"] == ("True", "NoMatchingNode")
    assert "Reconciling" not in found
    assert status(plan)["activeRuntime"] == "cpu"
    message = status(plan)["runtimes"][0]["message"]
    assert "kind=laptop" in message
    assert says in message
    assert plan_service(again(now, plan, modelset=models(), pods=now.pods, owned=now.owned)).events == ()


@pytest.mark.parametrize("says", ELSEWISE)
def test_nodes_that_are_only_full_are_waited_for(says: str) -> None:
    _, plan = after(both(), npu=0, pods=(waiting(says),))
    assert conditions(plan)["Degraded"] == ("True", "Unschedulable")
    assert conditions(plan)["Reconciling"] == ("True", "RollingOut")


def test_while_the_cpu_starts_it_is_not_the_missing_node_that_is_in_the_way() -> None:
    plan = plan_service(both())
    owned = live(plan, ready={"speech-npu": 0, "speech-cpu": 0})
    pods = (waiting(NOWHERE[0]),)
    starting = again(both(), plan, modelset=models(), owned=owned, router=seen(0, 0), pods=pods)
    assert conditions(plan_service(starting))["Ready"] == ("False", "RollingOut")


def test_where_there_is_nothing_else_the_missing_node_is_in_the_way() -> None:
    alone = observed(resource=service(runtimes={"npu": {}}), modelset=models())
    _, plan = after(alone, npu=0, router=RouterHealth({"r": {}}), pods=(waiting(NOWHERE[0]),))
    assert conditions(plan)["Ready"] == ("False", "NoMatchingNode")


def test_a_device_that_does_not_work_is_told_in_its_own_words() -> None:
    ended = {"exitCode": 1, "message": "whisper-npu: no device works: NPU: compile_failed: out of tiles"}
    ahead = {"name": "compile", "ready": False, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    pod = waiting("")
    pod["status"] = {"initContainerStatuses": [ahead | {"lastState": {"terminated": ended}}]}
    _, plan = after(both(), npu=0, pods=(pod,))
    assert conditions(plan)["Degraded"] == ("True", "ContainerFailed")
    assert "out of tiles" in status(plan)["runtimes"][0]["message"]


def test_a_failover_is_kept_when_the_better_runtime_is_back() -> None:
    running, first = after(both(), npu=1)
    assert status(first)["activeRuntime"] == "npu"
    assert "lastFailover" not in status(first)

    gone = again(running, first, modelset=models(), owned=live(first, ready={"speech-npu": 0}), router=seen(0))
    told = status(plan_service(gone))
    assert told["activeRuntime"] == "cpu"
    assert told["lastFailover"].items() >= {"fromRuntime": "npu", "toRuntime": "cpu", "reason": "RollingOut"}.items()

    later = again(gone, plan_service(gone), modelset=models(), owned=gone.owned, router=seen(0))
    assert status(plan_service(later))["lastFailover"] == told["lastFailover"]

    back = again(later, plan_service(later), modelset=models(), owned=running.owned, router=seen(1))
    assert status(plan_service(back))["activeRuntime"] == "npu"
    assert status(plan_service(back))["lastFailover"] == told["lastFailover"]


def running(*, ready: bool, **of_container: Any) -> Object:
    status = {"conditions": [{"type": "Ready", "status": str(ready)}]}
    container = {"name": "npu", "ready": ready, "started": True, "state": {"running": {}}, **of_container}
    meta = {"name": "speech-npu-1", "labels": {"app.kubernetes.io/component": "npu"}}
    return {"metadata": meta, "status": status | {"containerStatuses": [container]}}


@pytest.mark.parametrize(
    ("pod", "reason"),
    [
        (running(ready=False), "ReplicasMissing"),
        (running(ready=False, started=False), "RollingOut"),
        (running(ready=False, state={"terminated": {"exitCode": 137}}), "ContainerFailed"),
        (running(ready=True), "RollingOut"),
    ],
)
def test_a_pod_that_hangs_is_not_told_as_one_that_starts(pod: Object, reason: str) -> None:
    _, plan = after(both(), npu=0, pods=(pod,))
    assert conditions(plan)["Degraded"] == ("True", reason)
    assert ("speech-npu-1" in status(plan)["runtimes"][0]["message"]) is (reason != "RollingOut")


def test_taking_a_runtime_out_of_the_spec_is_no_failover() -> None:
    running, first = after(both(), npu=1)
    told = again(running, first).resource.status
    alone = service(runtimes={"cpu": {}}).model_copy(update={"status": told})
    plan = plan_service(observed(resource=alone, modelset=models(), owned=running.owned, router=seen(1)))
    assert status(plan)["activeRuntime"] == "cpu"
    assert "lastFailover" not in status(plan)
    assert {f"{one.kind}/{one.name}" for one in plan.prune} == {"Deployment/speech-npu", "Service/speech-npu"}
