"""What is decided about a set of models, situation by situation."""

from dataclasses import replace
from typing import Any

import pytest
from whisper_operator.api.modelset import VariantState
from whisper_operator.plan.modelset import plan_modelset
from whisper_operator.plan.types import Images, Plan, Progress

from tests.unit.operator.world import AT_ONCE, DEFAULTS, TINY, World, ready_world


def test_first_comes_the_claim_then_the_download_then_the_conversion_then_its_comparison() -> None:
    world = World()
    world.settle()
    assert [name.split("-")[-3] for name in world.made] == ["pytorch"]
    world.bind()
    world.settle()
    world.succeed("pytorch")
    world.settle()
    assert world.running("onnx")
    assert world.variant("pytorch").state is VariantState.READY
    world.succeed("convert")
    world.settle()
    assert world.variant("onnx").state is VariantState.VALIDATING
    world.succeed("validate")
    world.settle()
    assert world.condition("Ready") == ("True", "Ready")
    assert world.condition("Verified")[0] == "True"
    assert world.condition("Reconciling") == ("", "")
    assert not world.jobs


def test_a_ready_set_is_left_alone() -> None:
    world = ready_world()
    events, plan = len(world.events), world.settle()
    world.wait(hours=1)
    assert world.turn() == replace(plan, apply=plan.apply)
    assert plan.look_again is None
    assert len(world.events) == events
    assert len(world.made) == 3


def test_the_result_is_in_status_before_its_job_goes() -> None:
    world = World()
    world.settle()
    world.succeed()
    first = world.turn()
    assert not first.prune
    assert world.variant().digest
    assert [one.name for one in world.turn().prune] == world.made[:1]


def test_waits_double_up_to_five_minutes() -> None:
    world = World()
    world.settle()
    world.bind()
    waits = []
    for _ in range(8):
        world.settle()
        world.fail("NotFound")
        plan = world.settle()
        assert plan.look_again is not None
        waits.append(plan.look_again.total_seconds())
        world.now += plan.look_again
    assert waits == [10, 20, 40, 80, 160, 300, 300, 300]
    assert world.variant().attempts == 8
    assert world.reasons().count("NotFound") == 1


def test_a_failed_job_stays_readable_until_the_next_attempt() -> None:
    world = World()
    world.settle()
    world.fail("HubUnreachable")
    world.settle()
    assert list(world.jobs) == world.made
    world.wait(seconds=9)
    world.settle()
    assert len(world.made) == 1
    world.wait(seconds=2)
    world.settle()
    assert len(world.made) == 2


def test_the_reason_stays_while_it_is_tried_again_and_goes_with_success() -> None:
    world = World()
    world.settle()
    world.fail("HubUnreachable")
    world.settle()
    assert world.condition("Ready") == ("False", "HubUnreachable")
    world.wait(seconds=11)
    world.settle()
    assert world.running()
    assert world.condition("Ready") == ("False", "HubUnreachable")
    world.succeed()
    world.settle()
    assert world.condition("Ready") == ("False", "Progressing")
    assert world.variant().last_failure is None


def test_a_failure_for_good_stalls_and_starts_nothing() -> None:
    world = World()
    world.settle()
    world.fail("UnsupportedCheckpoint", retryable=False)
    world.settle()
    world.wait(days=1)
    plan = world.settle()
    assert world.condition("Stalled") == ("True", "UnsupportedCheckpoint")
    assert world.condition("Reconciling") == ("", "")
    assert len(world.made) == 1
    assert plan.look_again is None or not plan.apply[1:]


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("another endpoint", {"source": {"huggingFace": {"endpoint": "http://hub.example"}}}),
    ("a token", {"source": {"huggingFace": {"tokenSecretRef": {"name": "hub"}}}}),
    ("more memory", {"jobs": {"resources": {"limits": {"memory": "8Gi"}}}}),
    ("another revision", {"models": [TINY | {"source": {"huggingFace": {"revision": "main"}}}]}),
]


@pytest.mark.parametrize("change", [change for _, change in CHANGES], ids=[says for says, _ in CHANGES])
@pytest.mark.parametrize("retryable", [True, False])
def test_a_changed_spec_tries_at_once(change: dict[str, Any], retryable: bool) -> None:  # noqa: FBT001  # parametrized
    world = World()
    world.settle()
    world.fail("AuthFailed", retryable=retryable)
    world.settle()
    world.change(**change)
    world.settle()
    assert len(world.made) == 2
    assert world.condition("Stalled") == ("", "")


def test_a_changed_spec_leaves_a_job_that_gets_on_alone() -> None:
    world = World()
    world.settle()
    world.pod(world.running(), phase="Running", podIP="10.0.0.1")
    world.change(jobs={"resources": {"limits": {"memory": "8Gi"}}})
    world.settle()
    assert len(world.made) == 1


def test_a_changed_spec_replaces_a_job_that_is_stuck() -> None:
    world = World()
    world.settle()
    unschedulable = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    world.pod(world.running(), phase="Pending", conditions=[unschedulable])
    world.settle()
    assert world.condition("Ready") == ("False", "Unschedulable")
    world.change(jobs={"placement": {"nodeSelector": {"a": "b"}}})
    world.settle()
    assert len(world.made) == 2


def test_an_operator_with_other_images_makes_nothing_anew() -> None:
    world = ready_world()
    images = Images(models="models:2", runtimes={"cpu": "cpu:2"}, router="router:2")
    world.defaults = replace(DEFAULTS, images=images)
    world.settle()
    assert len(world.made) == 3
    assert world.condition("Ready")[0] == "True"


def test_another_revision_makes_base_and_conversion_anew() -> None:
    world = ready_world()
    world.change(models=[TINY | {"source": {"huggingFace": {"revision": "main"}}}])
    world.settle()
    world.succeed("pytorch")
    world.settle()
    assert world.running("onnx")


def test_another_hub_for_the_same_revision_makes_nothing_anew() -> None:
    world = ready_world()
    world.change(source={"huggingFace": {"endpoint": "http://mirror.example"}})
    world.settle()
    assert len(world.made) == 3


def test_an_unknown_model_does_not_hold_up_the_others() -> None:
    world = World(spec={"models": [{"name": "tinny"}, {"name": "tiny"}]})
    world.settle()
    assert world.condition("Stalled") == ("True", "UnknownModel")
    assert len(world.made) == 1
    assert world.reasons().count("UnknownModel") == 1


def test_an_own_model_needs_its_repository() -> None:
    world = World(spec={"models": [{"name": "mine", "source": {"huggingFace": {"repo": "me/mine"}}}]})
    world.settle()
    args = world.jobs[world.running()]["spec"]["template"]["spec"]["containers"][0]["args"]
    assert args[args.index("--repo") + 1] == "me/mine"


def test_progress_of_the_pod_is_shown() -> None:
    world = World()
    world.settle()
    world.progress = {world.running(): Progress("Downloading", 50, 200, 1024.0 * 1024, 3.2)}
    world.settle()
    found = world.variant()
    assert (found.state, found.bytes_done, found.bytes_total, found.eta_seconds) == ("Downloading", 50, 200, 3)
    assert world.resource.status.progress == "0/2 tiny.en Downloading 25% 1 MiB/s 3s left"
    world.progress = {}
    world.settle()
    assert world.variant().bytes_done == 50


STORAGE: list[tuple[str, dict[str, Any], str, int]] = [
    ("it binds when a pod comes", {}, "WaitForFirstConsumer", 1),
    ("the class is missing", {"classes": {}}, "StorageClassNotFound", 0),
    ("it waits for a volume", {"classes": {"std": AT_ONCE}}, "ClaimPending", 0),
    ("the operator may not read classes", {"classes": None}, "ClaimPending", 1),
]


@pytest.mark.parametrize(
    ("fields", "reason", "jobs"), [case[1:] for case in STORAGE], ids=[case[0] for case in STORAGE]
)
def test_jobs_are_started_only_on_a_claim_that_will_bind(fields: dict[str, Any], reason: str, jobs: int) -> None:
    world = World(**fields)
    world.settle()
    assert world.condition("StorageReady")[1] == reason
    assert len(world.made) == jobs


def test_the_provider_is_quoted_when_it_cannot_make_a_volume() -> None:
    world = World(spec={"models": [TINY], "storage": {"claimTemplate": {"storageClassName": "std"}}})
    world.classes = {"std": AT_ONCE}
    world.claim_events = [{"reason": "ProvisioningFailed", "message": "out of disks"}]
    plan = world.settle()
    assert world.condition("Ready") == ("False", "ProvisioningFailed")
    assert "out of disks" in world.resource.status.conditions[0].message
    assert "ProvisioningFailed" in world.reasons()
    assert plan.look_again is not None


def test_a_lost_claim_stalls() -> None:
    world = ready_world()
    world.bind("Lost")
    world.settle()
    assert world.condition("Stalled") == ("True", "ClaimLost")


def test_a_claim_grows_but_never_shrinks() -> None:
    world = ready_world()
    for size, kept in (("40Gi", "40Gi"), ("10Gi", "40Gi")):
        world.change(storage={"claimTemplate": {"size": size}})
        world.settle()
        assert world.claim
        assert world.claim["spec"]["resources"]["requests"]["storage"] == kept


def test_a_bound_claim_of_another_class_is_told_and_used() -> None:
    world = World(spec={"models": [TINY], "storage": {"claimTemplate": {"storageClassName": "std"}}})
    world.settle()
    world.bind()
    world.change(storage={"claimTemplate": {"storageClassName": "fast"}})
    world.settle()
    assert world.condition("Stalled") == ("True", "ClaimDiffers")
    assert world.made


@pytest.mark.parametrize(("policy", "owned"), [("Retain", False), ("Delete", True)])
def test_only_a_claim_to_be_deleted_has_an_owner(policy: str, owned: bool) -> None:  # noqa: FBT001  # parametrized
    world = World(spec={"models": [TINY], "storage": {"reclaimPolicy": policy}})
    claim = world.turn().apply[0]
    assert ("ownerReferences" in claim["metadata"]) == owned


def test_suspending_starts_nothing_and_forgets_nothing() -> None:
    world = World()
    world.settle()
    world.fail("NotFound")
    world.settle()
    world.change(suspend=True)
    world.wait(hours=1)
    world.settle()
    assert len(world.made) == 1
    assert world.variant().last_failure


def test_a_refusal_of_the_api_server_is_told() -> None:
    world = World()
    world.turn()
    world.refusals = ("the API server refused Job/x: exceeded quota",)
    world.turn()
    assert world.condition("Ready") == ("False", "Refused")
    assert "Refused" in world.reasons()


def test_a_set_that_is_being_deleted_is_left_alone() -> None:
    world = World()
    found = world.observe()
    meta = found.resource.metadata.model_copy(update={"deletion_timestamp": "2026-01-02T03:04:05Z"})
    assert plan_modelset(replace(found, resource=found.resource.model_copy(update={"metadata": meta}))) == Plan()


def test_a_talkative_scheduler_does_not_break_the_status() -> None:
    world = World()
    world.settle()
    talk = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no " * 5000}
    world.pod(world.running(), phase="Pending", conditions=[talk])
    world.settle()
    assert world.condition("Ready") == ("False", "Unschedulable")
    assert len(world.variant().message or "") <= 1024


def warning(reason: str, uid: str) -> dict[str, Any]:
    return {"reason": reason, "message": f"{reason}!", "involvedObject": {"uid": uid}}


def test_what_held_a_pod_up_before_is_no_failure_of_what_it_does_now() -> None:
    world = World()
    world.settle()
    job = world.running()
    world.pod(job, phase="Pending", containerStatuses=[{"state": {"waiting": {"reason": "ContainerCreating"}}}])
    world.job_events = [warning("FailedScheduling", f"pod-{job}")]
    world.settle()
    assert (world.variant().state, world.variant().reason) == ("Downloading", None)
    world.job_events = [warning("FailedMount", f"pod-{job}"), warning("FailedScheduling", f"pod-{job}")]
    world.settle()
    assert (world.variant().state, world.variant().reason) == ("Pending", "VolumeMountFailed")


@pytest.mark.parametrize("outcome", ["Failed", "Ready"])
def test_between_a_pods_end_and_its_jobs_nothing_is_told_that_the_job_will_tell_better(outcome: str) -> None:
    world = World()
    world.settle()
    job = world.running()
    world.end(job, {"outcome": outcome, "reason": "DiskFull", "message": "no room"}, code=1)
    ended, world.jobs[job] = world.jobs[job], world.jobs[job] | {"status": {}}
    world.settle()
    assert (world.variant().state, world.variant().reason) == ("Downloading", None)
    world.jobs[job] = ended
    world.settle()
    assert world.variant().state == "Failed"


@pytest.mark.parametrize(
    ("stage", "state"),
    [
        ("Resolving", "Converting"),
        ("Verifying", "Converting"),
        ("Converting", "Converting"),
        ("Optimizing", "Optimizing"),
        ("Validating", "Validating"),
    ],
)
def test_a_conversion_never_looks_like_a_download(stage: str, state: str) -> None:
    world = World()
    world.settle()
    world.bind()
    world.succeed("pytorch")
    world.settle()
    job = world.running("onnx")
    world.pod(job, phase="Running")
    world.progress = {job: Progress(stage)}
    world.settle()
    assert world.variant("onnx").state == state


@pytest.mark.parametrize(
    ("own", "shared", "mounted"),
    [
        (None, None, True),
        (None, "http://set.example", True),
        ("http://set.example", "http://set.example", True),
        ("http://other.example", "http://set.example", False),
        ("http://other.example", None, False),
    ],
)
def test_the_sets_token_is_told_to_the_sets_hub_alone(own: str | None, shared: str | None, mounted: bool) -> None:  # noqa: FBT001  # parametrized
    hub = {"tokenSecretRef": {"name": "hub"}} | ({"endpoint": shared} if shared else {})
    model = TINY | ({"source": {"huggingFace": {"endpoint": own}}} if own else {})
    world = World(spec={"models": [model], "source": {"huggingFace": hub}})
    world.settle()
    pod = world.jobs[world.running()]["spec"]["template"]["spec"]
    assert any("secret" in volume for volume in pod["volumes"]) is mounted
    assert any(word == "--token-file" for word in pod["containers"][0]["args"]) is mounted
