"""Remembers answers by their key, so that a request that is sent again does no work again. Lives on the event loop.

What is remembered is bounded in number, in bytes and in age. Requests with one key that come while it is being worked
on share the work; it ends when the last of them has gone. A failure is not remembered.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most there may be."""

    answers: int = 4096
    answer_bytes: int = 16 << 20
    seconds: float = 600.0


@dataclass(slots=True)
class _Work:
    task: asyncio.Task[bytes]
    waiting: int = 0


class Replays:
    """Answers as bytes, the oldest forgotten first."""

    def __init__(self, bounds: Bounds | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._bounds, self._clock = bounds or Bounds(), clock
        self._kept = OrderedDict[Hashable, tuple[float, bytes]]()
        self._at_work: dict[Hashable, _Work] = {}
        self.held = 0
        """Bytes remembered."""

    async def once(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, bytes]]) -> tuple[bytes, bool]:
        """The answer, and whether somebody else's work gave it.

        Raises:
            Whatever the work raises, to all who wait for it.
        """
        self._forget()
        if key in self._kept:
            return self._kept[key][1], True
        replayed = key in self._at_work
        if not replayed:
            self._at_work[key] = self._begin(key, work)
        return await self._share(key, self._at_work[key]), replayed

    def _begin(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, bytes]]) -> _Work:
        begun = _Work(asyncio.ensure_future(work()))
        begun.task.add_done_callback(partial(self._done, key))
        return begun

    async def _share(self, key: Hashable, work: _Work) -> bytes:
        work.waiting += 1
        try:
            return await asyncio.shield(work.task)
        finally:
            work.waiting -= 1
            if not work.waiting and self._at_work.get(key) is work:
                del self._at_work[key]
                work.task.cancel()

    def _done(self, key: Hashable, task: asyncio.Task[bytes]) -> None:
        work = self._at_work.get(key)
        if work is not None and work.task is task:
            del self._at_work[key]
        if not task.cancelled() and task.exception() is None:
            self._keep(key, task.result())

    def _keep(self, key: Hashable, answer: bytes) -> None:
        self._kept[key] = (self._clock(), answer)
        self.held += len(answer)
        self._forget()

    def _forget(self) -> None:
        bounds, now = self._bounds, self._clock()
        while self._kept:
            since, answer = next(iter(self._kept.values()))
            fits = len(self._kept) <= bounds.answers and self.held <= bounds.answer_bytes
            if fits and now - since <= bounds.seconds:
                return
            self._kept.popitem(last=False)
            self.held -= len(answer)
