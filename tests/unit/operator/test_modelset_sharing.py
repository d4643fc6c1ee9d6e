"""Several sets on one claim: one Job for all that ask for a variant, for as long as any of them does."""

import pytest
from whisper_operator.api.modelset import VariantState
from whisper_operator.plan.modelset.keepers import keepers

from tests.unit.operator.world import TINY, World, beside, settle_all


@pytest.fixture
def first() -> World:
    world = World()
    world.settle()
    world.bind()
    return world


@pytest.fixture
def second(first: World) -> World:
    return beside(first)


def holders(world: World, word: str = "") -> set[str]:
    return set(keepers(world.jobs[world.running(word)]).values())


def delete(gone: World, left: World) -> None:
    """What the API server and the garbage collector do when a set is deleted."""
    left.beside.remove(gone)
    left.claim = gone.claim
    for name, live in list(left.jobs.items()):
        meta = live["metadata"]
        owners = [one for one in meta["ownerReferences"] if one["uid"] != gone.uid]
        if owners:
            left.jobs[name] = live | {"metadata": meta | {"ownerReferences": owners}}
        else:
            del left.jobs[name]


def test_two_sets_cause_one_download_one_conversion_and_one_comparison(first: World, second: World) -> None:
    for task in ("download", "convert", "validate"):
        settle_all(first, second)
        assert holders(first, task) == {"models", "other"}
        first.succeed(task)
    settle_all(first, second)
    assert len(first.made) == 3
    assert first.condition("Ready") == second.condition("Ready") == ("True", "Ready")
    assert first.variant("onnx").digest == second.variant("onnx").digest
    assert not first.jobs


def test_progress_and_failure_are_told_by_both(first: World, second: World) -> None:
    settle_all(first, second)
    first.fail("HubUnreachable")
    settle_all(first, second)
    assert first.variant().reason == second.variant().reason == "HubUnreachable"
    first.wait(seconds=11)
    settle_all(first, second)
    assert len(first.made) == 2
    assert holders(first) == {"models", "other"}


def test_a_set_that_comes_when_all_is_done_makes_nothing(first: World) -> None:
    for task in ("download", "convert", "validate"):
        first.settle()
        first.succeed(task)
    first.settle()
    made = len(first.made)
    late = beside(first)
    settle_all(first, late)
    assert late.condition("Ready") == ("True", "Ready")
    assert late.variant("onnx").similarity == 1.0
    assert len(first.made) == made


def test_a_job_outlives_the_set_that_made_it_and_the_other_starts_it_again_when_it_fails(
    first: World, second: World
) -> None:
    settle_all(first, second)
    job = first.running()
    delete(first, second)
    second.settle()
    assert second.running() == job
    second.fail("NotFound")
    second.settle()
    second.wait(seconds=11)
    second.settle()
    assert len(second.made) == 2
    assert holders(second) == {"other"}


def test_one_that_is_held_up_is_not_replaced_by_the_same_under_another_name(first: World, second: World) -> None:
    settle_all(first, second)
    unschedulable = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    first.pod(first.running(), phase="Pending", conditions=[unschedulable])
    delete(first, second)
    second.settle()
    assert second.condition("Ready") == ("False", "Unschedulable")
    assert len(second.made) == 1
    second.change(jobs={"placement": {"nodeSelector": {"a": "b"}}})
    second.settle()
    assert len(second.made) == 2


def test_a_set_that_wants_it_no_longer_lets_go_of_a_job_and_the_last_one_ends_it(first: World, second: World) -> None:
    settle_all(first, second)
    first.change(models=[{"name": "base"}])
    settle_all(first, second)
    assert holders(first, "tiny") == {"other"}
    second.change(models=[{"name": "base"}])
    settle_all(first, second)
    assert [first.task(name) for name in first.jobs if "tiny" in name] == ["remove"]


def test_a_job_that_fails_for_want_of_a_token_is_not_fought_over(first: World, second: World) -> None:
    second.change(source={"huggingFace": {"tokenSecretRef": {"name": "hub"}}})
    for _ in range(100):
        settle_all(first, second)
        first.wait(seconds=20)
        for name in [name for name, one in first.jobs.items() if not one.get("status")]:
            first.fail("AuthFailed", name)
    assert len(first.made) <= 20


def test_where_sources_differ_the_older_set_has_its_way_and_the_younger_says_so(first: World, second: World) -> None:
    source = {"huggingFace": {"repo": "me/tiny", "revision": "main"}}
    second.change(models=[TINY | {"source": source}])
    settle_all(first, second)
    assert second.condition("Stalled") == ("True", "SourceConflict")
    assert "models" in (second.variant().message or "")
    assert holders(first) == {"models"}
    second.change(models=[{"name": "mine", "source": source}])
    settle_all(first, second)
    assert second.condition("Stalled") == ("", "")


def test_a_doubt_of_one_set_is_not_talked_out_of_it_by_what_another_knew_before(first: World, second: World) -> None:
    for task in ("download", "convert", "validate"):
        settle_all(first, second)
        first.succeed(task)
    settle_all(first, second)
    first.wait(hours=1)
    first.complain("pytorch/stored")
    first.turn()
    assert first.variant().state is VariantState.FAILED
    first.turn()
    assert first.variant().state is VariantState.FAILED
    first.wait(seconds=11)
    first.settle()
    second.readers = first.readers
    settle_all(first, second)
    assert holders(first, "download") == {"models", "other"}
    first.wait(seconds=5)
    first.succeed("download")
    settle_all(first, second)
    assert first.condition("Ready") == second.condition("Ready") == ("True", "Ready")


def test_no_more_jobs_work_on_a_claim_at_once_than_the_spec_allows() -> None:
    models = [{"name": name} for name in ("tiny", "tiny.en", "base", "base.en", "small", "small.en")]
    world = World(spec={"models": models, "jobs": {"parallelism": 2}})
    world.settle()
    world.bind()
    seen = 0
    world.settle()
    while running := [name for name, one in world.jobs.items() if not one.get("status")]:
        seen = max(seen, len(running))
        world.succeed(running[0])
        world.settle()
    assert world.condition("Ready") == ("True", "Ready")
    assert seen == 2
    assert len(world.made) == len(models)


def test_without_a_word_four_do_and_the_others_say_that_they_wait() -> None:
    world = World(spec={"models": [{"name": name} for name in ("tiny", "tiny.en", "base", "base.en", "small")]})
    world.settle()
    assert len(world.jobs) == 4
    assert world.resource.status.variants[-1].reason == "WaitingForTurn"
    assert world.condition("Ready") == ("False", "Progressing")
