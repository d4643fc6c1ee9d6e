"""The work queue, on a clock that jumps."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from whisper_operator.cluster.errors import Unavailable
from whisper_operator.cluster.queue import STUCK_AFTER, Backoff, WorkQueue

from tests.unit.operator.virtual_clock import run

Work = Callable[[str], Awaitable[timedelta | None]]


@asynccontextmanager
async def working(work: Work, workers: int = 2) -> AsyncIterator[WorkQueue[str]]:
    queue = WorkQueue(work, workers=workers, backoff=Backoff(first=1, most=60))
    task = asyncio.create_task(queue.run())
    yield queue
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def now() -> float:
    return asyncio.get_running_loop().time()


def test_a_key_that_is_added_often_is_worked_on_once() -> None:
    async def main() -> list[str]:
        seen: list[str] = []

        async def work(key: str) -> None:
            seen.append(key)

        async with working(work) as queue:
            for _ in range(5):
                queue.add("a")
                queue.add("b")
            await asyncio.sleep(1)
        return seen

    assert run(main()) == ["a", "b"]


def test_the_first_look_is_at_once_and_what_happens_in_the_pause_after_it_is_looked_at_together() -> None:
    async def main() -> list[float]:
        seen: list[float] = []

        async def work(_: str) -> None:
            seen.append(now())

        queue = WorkQueue(work, workers=2, pause=5)
        async with asyncio.timeout(100), asyncio.TaskGroup() as group:
            running = group.create_task(queue.run())
            for _ in range(4):
                queue.add("a")
                await asyncio.sleep(1)
            assert not queue.idle
            await asyncio.sleep(20)
            assert queue.idle
            queue.add("a")
            await asyncio.sleep(1)
            running.cancel()
        return [at - seen[0] for at in seen]

    assert run(main()) == [0, 5, 24]


def test_a_key_that_is_added_while_it_is_worked_on_is_worked_on_once_more() -> None:
    async def main() -> tuple[int, int]:
        running = most = turns = 0

        async def work(_: str) -> None:
            nonlocal running, most, turns
            running, turns = running + 1, turns + 1
            most = max(most, running)
            await asyncio.sleep(10)
            running -= 1

        async with working(work, workers=4) as queue:
            queue.add("a")
            await asyncio.sleep(1)
            for _ in range(3):
                queue.add("a")
            await asyncio.sleep(100)
        return turns, most

    assert run(main()) == (2, 1)


def test_failures_wait_longer_each_time_and_success_forgets_them(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> list[float]:
        turns: list[float] = []

        async def work(_: str) -> None:
            turns.append(now())
            if len(turns) not in (4, 5):
                raise OSError("no")

        async with working(work) as queue:
            queue.add("a")
            await asyncio.sleep(20)
            queue.add("a")
            await asyncio.sleep(1)
            queue.add("a")
            await asyncio.sleep(3)
        return turns

    with caplog.at_level(logging.CRITICAL):
        assert run(main()) == [0, 1, 3, 7, 20, 21, 22, 24]


def test_waiting_has_a_limit() -> None:
    assert [Backoff(first=1, most=60).after(failures) for failures in (1, 2, 6, 7, 10_000)] == [1, 2, 32, 60, 60]


def test_a_key_comes_back_when_it_asked_to_and_earlier_when_something_happens() -> None:
    async def main() -> list[float]:
        turns: list[float] = []

        async def work(_: str) -> timedelta:
            turns.append(now())
            return timedelta(seconds=10)

        async with working(work) as queue:
            queue.add("a")
            await asyncio.sleep(15)
            queue.add("a")
            await asyncio.sleep(12)
        return turns

    assert run(main()) == [0, 10, 15, 25]


def test_a_later_time_does_not_replace_an_earlier_one() -> None:
    async def main() -> list[float]:
        turns: list[float] = []

        async def work(_: str) -> None:
            turns.append(now())

        async with working(work) as queue:
            queue.add_after("a", 5)
            queue.add_after("a", 50)
            await asyncio.sleep(100)
        return turns

    assert run(main()) == [5]


def test_one_slow_key_does_not_hold_up_the_others() -> None:
    async def main() -> list[tuple[str, float]]:
        done: list[tuple[str, float]] = []

        async def work(key: str) -> None:
            await asyncio.sleep(1000 if key == "slow" else 1)
            done.append((key, now()))

        async with working(work) as queue:
            for key in ("slow", "a", "b"):
                queue.add(key)
            await asyncio.sleep(5)
        return done

    assert run(main()) == [("a", 1), ("b", 2)]


def test_the_beat_proves_that_a_worker_takes_notice_or_has_not_been_busy_for_too_long() -> None:
    async def main() -> None:
        stuck = asyncio.Event()

        async def work(_: str) -> None:
            await stuck.wait()

        async with working(work) as queue:
            await asyncio.wait_for(queue.beat(), 1)
            queue.add("a")
            queue.add("b")
            await asyncio.sleep(STUCK_AFTER - 1)
            await asyncio.wait_for(queue.beat(), 1)
            await asyncio.sleep(1)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(queue.beat(), 20)
            stuck.set()
            await asyncio.wait_for(queue.beat(), 1)

    run(main())


def test_when_the_cause_of_all_failures_is_over_their_keys_do_not_wait_any_longer() -> None:
    async def main() -> list[tuple[str, float]]:
        turns: list[tuple[str, float]] = []

        async def work(key: str) -> None:
            turns.append((key, now()))
            if key != "well" and now() < 50:
                raise Unavailable("no")

        async with working(work) as queue:
            for key in ("a", "b", "well"):
                queue.add(key)
            await asyncio.sleep(50)
            turns.clear()
            queue.retry_failed()
            await asyncio.sleep(100)
        return turns

    assert run(main()) == [("a", 50), ("b", 50)]
