"""Jobs: whose turn it is, how many there may be, how they end, and when they are forgotten."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Callable

import pytest
from whisper_runtime.errors import AudioEmpty, DeadlineExceeded, Draining, JobNotFound, QueueFull
from whisper_runtime.serving.batch import Batch, Bounds, new_id
from whisper_runtime.serving.job import Answer, BatchJob, State


class Hearing:
    """Hears jobs as it is told."""

    def __init__(self, content: bytes = b"{}", failure: BaseException | None = None, *, held: bool = False) -> None:
        self.content, self.failure, self.begun = content, failure, list[str]()
        self.free = asyncio.Event()
        if not held:
            self.free.set()

    async def __call__(self, job: BatchJob) -> Answer:
        self.begun.append(job.id)
        await self.free.wait()
        if self.failure is not None:
            raise self.failure
        return Answer(self.content)


Make = Callable[..., Batch]


@pytest.fixture
async def batch() -> AsyncIterator[Make]:
    made: list[Batch] = []

    def make(audio_seconds: float = 1000, seconds: float = 60, keep_seconds: float = 60, **more: int) -> Batch:
        bounds = Bounds(audio_seconds, seconds, keep_seconds, **more)
        made.append(Batch(bounds, lambda seconds: seconds / 10, lambda _: None))
        return made[-1]

    yield make
    for one in made:
        one.close()
    await asyncio.sleep(0)


def job(seconds: float | None = 10, key: str | None = None) -> BatchJob:
    return BatchJob(new_id(), "request", key, (), seconds, lambda: None)


async def until(found: BatchJob, state: State) -> None:
    async with asyncio.timeout(60):
        while found.state is not state:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.001)


async def test_jobs_are_heard_in_the_order_in_which_they_came_one_at_a_time(batch: Make) -> None:
    jobs, hearing, known = [job() for _ in range(3)], Hearing(held=True), batch()
    for one in jobs:
        known.add(one, hearing)
    await until(jobs[0], State.RUNNING)
    assert [one.state for one in jobs] == [State.RUNNING, State.QUEUED, State.QUEUED]
    hearing.free.set()
    await until(jobs[2], State.DONE)
    assert hearing.begun == [one.id for one in jobs]
    answer = known.find(jobs[0].id).answer
    assert answer is not None
    assert answer.reader()() == b"{}"


async def test_audio_and_number_are_bounded_and_a_single_job_is_always_taken(batch: Make) -> None:
    hearing, known = Hearing(held=True), batch(audio_seconds=100, jobs=3)
    known.add(job(500), hearing)
    with pytest.raises(QueueFull, match="500 of 100 seconds") as full:
        known.add(job(1), hearing)
    assert full.value.retry_after == 50
    other = batch(audio_seconds=100, jobs=3)
    for seconds in (50, None, 50):
        other.add(job(seconds), hearing)
    with pytest.raises(QueueFull, match="3 jobs are waiting"):
        other.require_room()


@pytest.mark.parametrize("at_work", [True, False])
async def test_the_time_of_a_job_counts_from_its_arrival(batch: Make, *, at_work: bool) -> None:
    known, hearing = batch(seconds=0.05), Hearing(held=True)
    jobs = [job(), job()]
    for one in jobs:
        known.add(one, hearing)
    late = jobs[0 if at_work else 1]
    await until(late, State.FAILED)
    assert isinstance(late.error, DeadlineExceeded)


async def test_the_oldest_answers_are_forgotten_for_want_of_room_and_the_last_one_stays(batch: Make) -> None:
    known = batch(answers=2, answer_bytes=10)
    jobs = [job() for _ in range(4)]
    for one, content in zip(jobs, (b"1", b"2", b"3", b"x" * 20), strict=True):
        known.add(one, Hearing(content))
        await until(one, State.DONE)
        await asyncio.sleep(0)
    for forgotten in jobs[:3]:
        with pytest.raises(JobNotFound):
            known.find(forgotten.id)
    assert known.find(jobs[3].id) is jobs[3]


async def test_all_that_has_not_ended_can_be_ended_for_a_reason(batch: Make) -> None:
    known, hearing, done = batch(), Hearing(held=True), job()
    known.add(done, Hearing())
    await until(done, State.DONE)
    jobs = [job(), job()]
    for one in jobs:
        known.add(one, hearing)
    await until(jobs[0], State.RUNNING)
    known.cut_off(why := Draining("over"))
    assert [(one.state, one.error) for one in jobs] == [(State.CANCELLED, why)] * 2
    assert done.state is State.DONE


async def test_a_key_is_known_as_long_as_its_job(batch: Make) -> None:
    known, mine = batch(), job(key="mine")
    known.add(mine, Hearing())
    assert known.known("mine") is mine
    assert known.known("other") is None
    assert known.known(None) is None
    known.delete(mine.id)
    assert known.known("mine") is None


async def test_whatever_goes_wrong_is_the_jobs_error_and_the_upload_is_given_back(batch: Make) -> None:
    closed: list[int] = []
    mine, known = BatchJob(new_id(), "r", None, (), None, lambda: closed.append(1)), batch()
    known.add(mine, Hearing(failure=ValueError("no")))
    await until(mine, State.FAILED)
    assert mine.error is not None
    assert (mine.error.code, mine.error.message.split(";")[0]) == ("engine_error", "an unexpected ValueError")
    assert closed == [1]


def test_an_answer_can_be_read_while_it_is_forgotten() -> None:
    answer = Answer(b"x" * 100_000)
    read = answer.reader()
    answer.close()
    assert (read(), answer.size) == (b"x" * 100_000, 100_000)


async def test_an_answer_that_comes_after_its_job_was_deleted_is_closed(batch: Make) -> None:
    """Python says so of a file that is not, and pytest fails then."""
    begun, going_on = threading.Event(), threading.Event()

    def written() -> Answer:
        begun.set()
        going_on.wait(60)
        return Answer(b"{}")

    async def work(_: BatchJob) -> Answer:
        return await asyncio.to_thread(written)

    known, one = batch(), job()
    known.add(one, work)
    assert await asyncio.to_thread(begun.wait, 60)
    known.delete(one.id)
    going_on.set()
    await asyncio.get_running_loop().shutdown_default_executor()
    gc.collect()


async def test_a_key_leads_to_no_job_that_should_be_sent_again(batch: Make) -> None:
    known = batch()
    for failure, kept in ((DeadlineExceeded("late"), False), (AudioEmpty("nothing", param="file"), True)):
        one = job(key=str(kept))
        known.add(one, Hearing(failure=failure))
        await until(one, State.FAILED)
        assert (known.known(str(kept)) is one) is kept
