"""A cause that goes away by itself: how soon afterwards the set is ready, and how little was asked for meanwhile."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whisper_operator.plan.modelset.variant_status import LAST_RETRY
from whisper_operator.plan.types import Progress

from tests.unit.operator.world import START, World

GIVES_UP = timedelta(seconds=45)
"""After this a Job that cannot reach its hub has lost its patience: four attempts of ten seconds, and waits."""
WORKS = timedelta(seconds=60)


def _downloading() -> World:
    """A set of one checkpoint, whose Job runs."""
    world = World(spec={"models": [{"name": "tiny.en"}]})
    world.settle()
    world.bind()
    world.settle()
    return world


def _outage(length: timedelta, job: timedelta = GIVES_UP, reason: str = "HubUnreachable") -> tuple[timedelta, World]:
    """A set whose cause of trouble lasts from the first Job on: how long after its end it was ready, by the clock."""
    world = _downloading()
    while world.now < START + length + timedelta(hours=1):
        plan = world.settle()
        if world.condition("Ready")[0] == "True":
            return world.now - START - length, world
        running = [name for name, one in world.jobs.items() if not one.get("status")]
        if running and world.now - START < length:
            world.now += job
            world.fail(reason)
        elif running:
            world.now += WORKS
            world.succeed()
        else:
            assert plan.look_again is not None, "it waits, and does not say until when"
            world.now += max(plan.look_again, timedelta(seconds=1))
    raise AssertionError("it never gets ready")


@pytest.mark.parametrize("reason", ["HubUnreachable", "HubError", "Throttled", "DiskFull", "ReadOnlyVolume"])
def test_after_ten_minutes_without_its_hub_a_set_is_ready_within_one_pause(reason: str) -> None:
    recovery, world = _outage(timedelta(minutes=10), reason=reason)
    assert recovery <= LAST_RETRY + GIVES_UP + WORKS
    assert len(world.made) <= 8
    assert world.reasons().count(reason) == 1


@settings(max_examples=60, deadline=None)
@given(st.timedeltas(timedelta(0), timedelta(hours=12)), st.timedeltas(timedelta(seconds=1), timedelta(minutes=10)))
def test_whatever_an_outage_lasts_it_ends_within_one_pause_and_makes_few_jobs(
    length: timedelta, job: timedelta
) -> None:
    recovery, world = _outage(length, job)
    assert recovery <= LAST_RETRY + job + WORKS + timedelta(seconds=5)
    assert len(world.made) <= 7 + length / (LAST_RETRY + job)


def test_every_failed_job_is_counted_with_its_reason() -> None:
    world = _downloading()
    for number in range(1, 4):
        world.fail("DiskFull")
        world.settle()
        found = world.variant()
        assert found.attempts == number
        assert found.last_failure is not None
        assert found.last_failure.reason == "DiskFull"
        assert found.next_attempt is not None
        world.wait(minutes=6)
        world.settle()


@pytest.mark.parametrize(
    ("asked", "waited"), [(3.0, 10), (120.0, 120), (900, 900), (86_400.0, 3600), (None, 10), ("soon", 10), (-5, 10)]
)
def test_a_hub_that_asked_to_be_left_alone_is(asked: object, waited: float) -> None:
    world = _downloading()
    world.fail("Throttled", retry_after=asked)
    plan = world.settle()
    assert plan.look_again == timedelta(seconds=waited)


def test_a_job_that_got_further_than_the_one_before_does_not_wait_longer() -> None:
    """As on nodes that are taken away again and again: ten kills are ten short pauses, not half an hour."""
    world = _downloading()
    for number in range(1, 11):
        job = world.running()
        world.pod(job, phase="Running", podIP="10.0.0.1")
        world.progress = {job: Progress("Downloading", 100 * number, 5000)}
        world.settle()
        world.end(job, None, code=137)
        plan = world.settle()
        assert plan.look_again == timedelta(seconds=10)
        assert world.variant().attempts == 1
        world.now += plan.look_again
        world.settle()


def test_a_job_that_gets_no_further_waits_longer_each_time() -> None:
    world = _downloading()
    for pause in (10, 20, 40):
        job = world.running()
        world.pod(job, phase="Running", podIP="10.0.0.1")
        world.progress = {job: Progress("Downloading", 100, 5000)}
        world.settle()
        world.end(job, None, code=137)
        plan = world.settle()
        assert plan.look_again == timedelta(seconds=pause)
        world.now += plan.look_again
        world.settle()


@pytest.mark.parametrize("code", [0, 1], ids=["well", "badly"])
def test_a_job_whose_end_is_known_before_that_of_its_pod_is_waited_for(code: int) -> None:
    """Jobs and pods are watched apart: one of the two watches may just begin anew."""
    world = _downloading()
    job = world.running("download")
    said = {"outcome": "Ready", "revision": "r1", "digest": "d", "size_bytes": 7, "path": "p"}
    lost = {"outcome": "Failed", "reason": "NotFound", "message": "why"}
    world.end(job, None, code, phase="Running", containerStatuses=[{"state": {"running": {}}}])
    plan = world.turn()
    assert (world.variant().attempts, world.variant().last_failure) == (None, None)
    assert plan.look_again is not None

    world.end(job, lost if code else said, code)
    world.settle()
    if code:
        assert (world.variant().attempts, world.variant().state) == (1, "Failed")
        assert world.condition("Ready") == ("False", "NotFound")
    else:
        assert (world.variant().attempts, world.variant().state) == (None, "Ready")


def test_a_pod_that_is_taken_away_and_a_job_whose_time_is_over_are_not_waited_for() -> None:
    for job_reason, taken_away in (("DeadlineExceeded", False), ("BackoffLimitExceeded", True)):
        world = _downloading()
        job = world.running("download")
        world.end(job, None, 1, phase="Running")
        world.jobs[job]["status"]["conditions"][0]["reason"] = job_reason
        if taken_away:
            world.pods[job]["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:05Z"
        world.settle()
        assert world.variant().attempts == 1
