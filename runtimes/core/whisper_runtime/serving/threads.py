"""Threads for what blocks, such that a hung one is noticed and cannot keep the process from ending.

Python can neither end a thread nor leave without joining it; whoever closes these learns whether all have ended.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import errno
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from whisper_runtime.errors import EngineError, NoMemory, RequestFailure
from whisper_runtime.serving.stop import Cancelled, StopFlag

T = TypeVar("T")
_SOON = 2.0
_NO_ROOM = frozenset({errno.ENOMEM, errno.ENOSPC, errno.EDQUOT})


class Threads:
    """So many threads with one queue."""

    def __init__(self, count: int, name: str) -> None:
        self.name = name
        self._count = count
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._unfinished = set[Future[Any]]()
        self._at_work = set[StopFlag]()
        self._begun = 0

    def submit(self, work: Callable[[], T], stop: StopFlag) -> Future[T]:
        """Do the work when its turn comes; it must ask `stop` from time to time."""

        def begin() -> T:
            with self.watched(stop):
                stop()
                return work()

        return self.queue(begin)

    def queue(self, work: Callable[[], T]) -> Future[T]:
        """Do what says itself, by `watched`, whose progress is to be watched."""
        future = self._pool.submit(self._do, work)
        self._unfinished.add(future)
        future.add_done_callback(self._unfinished.discard)
        return future

    def _do(self, work: Callable[[], T]) -> T:
        self._begun += 1
        return work()

    @contextmanager
    def watched(self, stop: StopFlag) -> Iterator[None]:
        """What is done inside asks `stop` from time to time."""
        self._at_work.add(stop)
        try:
            yield
        finally:
            self._at_work.discard(stop)

    def counters(self) -> dict[StopFlag | Threads, int]:
        """What must grow: the polls of each work, and how many were begun as long as one waits for a free thread."""
        at_work, unfinished = self._at_work.copy(), len(self._unfinished)
        counters: dict[StopFlag | Threads, int] = {stop: stop.polls for stop in at_work}
        if len(at_work) < min(unfinished, self._count):
            counters[self] = self._begun
        return counters

    def close(self, within: float) -> bool:
        """Begin nothing more, and wait so many seconds for what is at work; whether all of it has ended."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        return not concurrent.futures.wait(self._unfinished.copy(), within).not_done


async def answer(future: Future[T], stop: StopFlag) -> T:
    """What comes of submitted work; whoever stops waiting for it, for want of time or interest, stops it too.

    Raises:
        DeadlineExceeded, and whatever the work raises
    """
    try:
        async with asyncio.timeout(stop.left) as waiting:
            return await asyncio.wrap_future(future)
    except TimeoutError as error:
        raise (stop.exceeded() if waiting.expired() else error) from error
    finally:
        if not future.done():
            stop.cancel()


@contextmanager
def one_requests_failure(what: str) -> Iterator[None]:
    """Whatever goes wrong inside is an answer to one request: the thread and the event loop live on.

    Raises:
        RequestFailure, Cancelled
    """
    try:
        yield
    except (RequestFailure, Cancelled):
        raise
    except MemoryError as error:
        raise NoMemory(f"not enough memory for this request: {error}", retry_after=_SOON) from error
    except BaseException as error:  # SystemExit too: in a task it would end the event loop, and with it all requests
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            message = f"not enough memory or scratch disk for this request: {error.strerror}"
            raise NoMemory(message, retry_after=_SOON) from error
        raise EngineError(f"{what} failed: {type(error).__name__}: {error}") from error
