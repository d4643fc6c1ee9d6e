"""What holds for every set of models, whatever happens to it and in whatever order."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from whisper_operator.api.modelset import ModelSetStatus, VariantState
from whisper_operator.plan.modelset import plan_modelset

from tests.unit.operator.world import World

MODEL: "st.SearchStrategy[dict[str, Any]]" = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["tiny", "tiny.en", "large-v3", "mine", "nobody-knows"]),
        "variants": st.lists(
            st.sampled_from(
                [
                    {"format": "onnx", "precision": "int8"},
                    {"format": "onnx", "precision": "fp32"},
                    {"format": "ggml", "precision": "q5_0"},
                ]
            ),
            unique_by=lambda variant: variant["precision"],
        ),
    },
    optional={"source": st.just({"huggingFace": {"repo": "me/mine", "revision": "main"}})},
)
MODELS = st.lists(MODEL, min_size=1, max_size=3, unique_by=lambda model: str(model["name"]))
SPECS = st.fixed_dictionaries(
    {"models": MODELS},
    optional={
        "suspend": st.booleans(),
        "storage": st.sampled_from([{"existingClaim": "there"}, {"reclaimPolicy": "Delete"}]),
        "source": st.just({"huggingFace": {"tokenSecretRef": {"name": "hub"}}}),
        "auxiliary": st.just(["vad/silero"]),
        "validation": st.sampled_from([{"policy": "Report"}, {"similarity": 0.5}]),
        "reverifyEvery": st.just("24h"),
        "readyMade": st.sampled_from(["IfPublished", "Never"]),
        "refreshPolicy": st.just("OnChange"),
        "refreshEvery": st.just("5m"),
    },
)
HAPPENINGS = st.lists(
    st.sampled_from(
        [
            "bind",
            "claim-gone",
            "succeed",
            "succeed",
            "differ",
            "fail",
            "fail-for-good",
            "vanish",
            "silent",
            "complain",
            "complain-of-base",
            "wait",
            "wait-long",
            "wait-days",
        ]
    ),
    max_size=16,
)


def happen(world: World, what: str) -> None:
    running = [name for name, job in world.jobs.items() if not job.get("status")]
    if what == "bind" and world.claim:
        world.bind()
    elif what == "claim-gone":
        world.claim = None
    elif what == "complain":
        world.complain()
    elif what == "complain-of-base":
        world.complain("pytorch/stored")
    elif what == "wait":
        world.wait(seconds=11)
    elif what == "wait-long":
        world.wait(minutes=10)
    elif what == "wait-days":
        world.wait(days=2)
    elif running:
        happen_to_job(world, running[0], what)


def happen_to_job(world: World, job: str, what: str) -> None:
    if what == "succeed":
        world.succeed(job)
    elif what == "differ":
        world.succeed(job, similarity=0.7, digest="sha256:" + "d" * 64)
    elif what in ("fail", "fail-for-good"):
        world.fail("NotFound", job, retryable=what == "fail")
    elif what == "vanish":
        del world.jobs[job]
    elif what == "silent":
        world.end(job, None, code=2)


def check(world: World) -> None:
    status = ModelSetStatus.model_validate(world.status)
    bases = [one for one in status.variants if one.format == "pytorch"]
    # One that is doubted while it is converted was there: the conversion reads every byte of it before it begins.
    ready = {one.name for one in bases if one.digest or (one.last_failure and one.revision)}
    for job in world.jobs.values():
        args: list[Any] = job["spec"]["template"]["spec"]["containers"][0]["args"]
        if args[0] == "convert" and not job.get("status"):
            assert args[args.index("--model") + 1] in ready, "a conversion runs without its base"
    assert status.observed_generation == world.generation
    conditions = {one.type: one.status for one in status.conditions}
    assert not {"Reconciling", "Stalled"} <= set(conditions)
    named = {(one.name, one.format, one.precision) for one in status.variants}
    assert not named & {(one.name, one.format, one.precision) for one in status.leaving}
    for one in status.variants:
        if one.state is VariantState.READY:
            assert one.digest
        asked = world.spec.get("validation", {})
        if one.similarity is not None and one.similarity < asked.get("similarity", 0.95) and "policy" not in asked:
            assert one.state is not VariantState.READY
    if conditions["Ready"] == "True":
        assert all(one.state is VariantState.READY for one in status.variants)


@settings(max_examples=80, deadline=None)
@given(SPECS, HAPPENINGS, st.none() | SPECS)
def test_whatever_happens_the_plan_comes_to_rest_and_tells_the_truth(
    spec: dict[str, Any], happenings: list[str], later: dict[str, Any] | None
) -> None:
    world = World(spec=spec)
    for what in happenings:
        world.settle()
        check(world)
        happen(world, what)
    if later is not None:
        world.spec, world.generation = later, world.generation + 1
    world.settle()
    check(world)


@settings(max_examples=60, deadline=None)
@given(SPECS, HAPPENINGS)
def test_the_plan_is_deterministic_and_says_everything_once(spec: dict[str, Any], happenings: list[str]) -> None:
    world = World(spec=spec)
    for what in happenings:
        world.settle()
        happen(world, what)
    world.settle()
    first, second = plan_modelset(world.observe()), plan_modelset(world.observe())
    assert first == second
    assert first.status == world.status
    assert not first.events
    assert not first.prune


@settings(max_examples=10, deadline=None)
@given(SPECS)
def test_what_fails_for_an_hour_makes_few_jobs(spec: dict[str, Any]) -> None:
    world = World(spec=spec)
    for _ in range(180):
        world.settle()
        world.wait(seconds=20)
        for name in [name for name, job in world.jobs.items() if not job.get("status")]:
            world.fail("HubUnreachable", name)
    assert len(world.made) <= 20 * len([*spec["models"], *spec.get("auxiliary", ())])
