"""Answers are given again, work is shared, and what is remembered is bounded."""

import asyncio

import pytest
from whisper_runtime.serving.replays import Bounds, Replays


class Worker:
    """Counts how often it is asked; answers once it may."""

    def __init__(self, answer: bytes = b"answer", failure: Exception | None = None, *, held: bool = False) -> None:
        self.answer, self.failure, self.calls, self.cancelled = answer, failure, 0, False
        self.free = asyncio.Event()
        if not held:
            self.free.set()

    async def __call__(self) -> bytes:
        self.calls += 1
        try:
            await self.free.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if self.failure is not None:
            raise self.failure
        return self.answer


async def turn() -> None:
    """Let every task go on until it waits."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_repeated_key_gets_the_stored_answer() -> None:
    replays, worker = Replays(), Worker()
    assert await replays.once("a", worker) == (b"answer", False)
    assert await replays.once("a", worker) == (b"answer", True)
    assert await replays.once("b", worker) == (b"answer", False)
    assert worker.calls == 2


async def test_those_who_ask_at_the_same_time_share_the_work() -> None:
    replays, worker = Replays(), Worker(held=True)
    asking = [asyncio.create_task(replays.once("a", worker)) for _ in range(3)]
    await turn()
    worker.free.set()
    assert [await task for task in asking] == [(b"answer", False), (b"answer", True), (b"answer", True)]
    assert worker.calls == 1


async def test_the_work_goes_on_for_the_others_when_the_first_leaves_and_ends_with_the_last() -> None:
    replays, worker = Replays(), Worker(held=True)
    first, second = (asyncio.create_task(replays.once("a", worker)) for _ in range(2))
    await turn()
    first.cancel()
    await turn()
    assert not worker.cancelled
    second.cancel()
    await turn()
    assert worker.cancelled
    worker.free.set()
    assert await replays.once("a", worker) == (b"answer", False)


async def test_one_who_comes_while_abandoned_work_ends_begins_anew() -> None:
    replays, abandoned, fresh = Replays(), Worker(held=True), Worker(b"fresh")
    asking = asyncio.create_task(replays.once("a", abandoned))
    await turn()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await replays.once("a", fresh) == (b"fresh", False)


async def test_a_failure_reaches_all_who_wait_and_is_not_remembered() -> None:
    replays, failing = Replays(), Worker(failure=ValueError("no"), held=True)
    asking = [asyncio.create_task(replays.once("a", failing)) for _ in range(2)]
    await turn()
    failing.free.set()
    assert [type(error) for error in await asyncio.gather(*asking, return_exceptions=True)] == [ValueError] * 2
    assert await replays.once("a", Worker()) == (b"answer", False)


async def test_number_bytes_and_age_are_bounded() -> None:
    now = 0.0
    replays = Replays(Bounds(answers=3, answer_bytes=25, seconds=10), lambda: now)
    ten = Worker(b"x" * 10)

    async def known(*keys: str) -> list[bool]:
        return [key in replays._kept for key in keys]

    for key in "abc":
        await replays.once(key, ten)
    assert (await known(*"abc"), replays.held) == ([False, True, True], 20)
    for key in "de":
        await replays.once(key, Worker(b"x"))
    assert (await known(*"bcde"), replays.held) == ([False, True, True, True], 12)
    now = 10.5
    await replays.once("f", Worker(b"x" * 26))
    assert (await known(*"cdef"), replays.held) == ([False] * 4, 0)
