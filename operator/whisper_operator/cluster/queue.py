"""The work queue: what may need doing, once each, one worker per key, with patience after failures.

It knows keys and times, never objects: whoever takes a key looks at the world as it is then.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from whisper_operator.cluster.errors import ApiError
from whisper_operator.metrics import QUEUE_DELAYED, QUEUE_DEPTH

K = TypeVar("K", bound=Hashable)
log = logging.getLogger(__name__)
STUCK_AFTER = 600.0
"""Seconds: a turn whose every request takes as long as a request may is over by then."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long a key waits after failures in a row; the most is how late it may be noticed that the cause is gone."""

    first: float = 0.5
    most: float = 20.0

    def after(self, failures: int) -> float:
        """Seconds after this many failures."""
        return float(min(self.most, self.first * 2 ** min(failures - 1, 30)))


class WorkQueue(Generic[K]):
    """Keys wait here, are worked on by a few workers, and come back when their time is due.

    A key that is added while it is worked on is worked on once more afterwards.

    Args:
        work: one turn; it says when to make the next one.
        workers: how many turns are made at once.
        pause: seconds between two turns for one key: what happens in quick succession is looked at together.
        backoff: how long a key waits after failures.
    """

    def __init__(
        self,
        work: Callable[[K], Awaitable[timedelta | None]],
        *,
        workers: int = 8,
        pause: float = 0,
        backoff: Backoff | None = None,
    ) -> None:
        self._work = work
        self._workers = workers
        self._pause = pause
        self._backoff = backoff or Backoff()
        self._ready: deque[K] = deque()
        self._waiting: set[K] = set()
        self._busy: dict[K, float] = {}
        self._pausing: set[K] = set()
        self._again: set[K] = set()
        self._failures: dict[K, int] = {}
        self._timers: dict[K, asyncio.TimerHandle] = {}
        self._wake = asyncio.Event()
        self._beats: deque[asyncio.Future[None]] = deque()

    def add(self, key: K) -> None:
        """Work on the key as soon as a worker is free."""
        self._cancel(key)
        if key in self._busy or key in self._pausing:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.append(key)
            self._count()
            self._wake.set()

    def add_after(self, key: K, seconds: float) -> None:
        """Work on the key after a while, or earlier if it is due earlier anyway."""
        loop = asyncio.get_running_loop()
        due = self._timers.get(key)
        if due is not None and due.when() <= loop.time() + seconds:
            return
        self._cancel(key)
        self._timers[key] = loop.call_later(seconds, self.add, key)
        self._count()

    def retry_failed(self) -> None:
        """What all failures had in common is over: work on their keys now, as if they had not failed."""
        failed, self._failures = list(self._failures), {}
        for key in failed:
            self.add(key)

    async def beat(self) -> None:
        """Return when a worker has taken notice, or at once while all are busy: slow answers of others are no fault.

        It does not return while all workers have been busy for longer than any work may take.
        """
        stuck = asyncio.get_running_loop().time() - STUCK_AFTER
        if len(self._busy) == self._workers and max(self._busy.values()) > stuck:
            return
        noticed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._beats.append(noticed)
        self._wake.set()
        await noticed

    @property
    def idle(self) -> bool:
        """Nothing waits for a worker and nothing is worked on; times may still come due."""
        return not self._ready and not self._busy and not self._again

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._workers):
                    group.create_task(self._worker())
        finally:
            for key in list(self._timers):
                self._cancel(key)

    async def _worker(self) -> None:
        while True:
            while self._beats:
                noticed = self._beats.popleft()
                if not noticed.done():
                    noticed.set_result(None)
            if self._ready:
                await self._take()
            else:
                self._wake.clear()
                await self._wake.wait()

    async def _take(self) -> None:
        key = self._ready.popleft()
        self._waiting.discard(key)
        self._busy[key] = asyncio.get_running_loop().time()
        self._count()
        try:
            again = await self._work(key)
        except Exception as error:
            failures = self._failures[key] = self._failures.get(key, 0) + 1
            again = timedelta(seconds=self._backoff.after(failures))
            said = {"key": str(key), "failures": failures, "error": str(error)}
            if isinstance(error, ApiError):  # it says itself what it is
                log.warning("reconciling failed; trying again", extra=said)
            else:
                log.exception("reconciling failed", extra=said)
        else:
            self._failures.pop(key, None)
        finally:
            del self._busy[key]
        if key in self._failures:
            self._again.discard(key)
        if again is not None:
            self.add_after(key, again.total_seconds())
        self._pausing.add(key)
        asyncio.get_running_loop().call_later(self._pause, self._paused, key)

    def _paused(self, key: K) -> None:
        self._pausing.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def _cancel(self, key: K) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()

    def _count(self) -> None:
        QUEUE_DEPTH.set(len(self._ready))
        QUEUE_DELAYED.set(len(self._timers))
