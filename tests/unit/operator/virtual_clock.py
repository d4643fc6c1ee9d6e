"""An event loop whose clock jumps to the next timer when there is nothing to do: hours pass in milliseconds."""

import asyncio
import heapq
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time is what the timers say."""

    def __init__(self) -> None:
        super().__init__()
        self._virtual = 0.0

    def time(self) -> float:
        return self._virtual

    def _run_once(self) -> None:
        timers: list[Any] = self._scheduled  # type: ignore[attr-defined]  # asyncio has no public way
        while timers and timers[0].cancelled():
            timers[0]._scheduled = False
            heapq.heappop(timers)
        if not self._ready and timers:  # type: ignore[attr-defined]  # as above
            self._virtual = max(self._virtual, timers[0].when())
        super()._run_once()  # type: ignore[misc]  # as above


def run(main: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
