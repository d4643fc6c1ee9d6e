"""Where a runtime is in its life, and what that means for requests and probes. Lives on the event loop.

Starting → Verifying → Loading → (Compiling) → Warming → Ready → Draining; Failed when the model
cannot be served, or no longer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum

from whisper_runtime.errors import Compiling, DeviceLost, Draining, Loading, Unavailable


class Phase(StrEnum):
    """The phases, in order."""

    STARTING = "starting"
    VERIFYING = "verifying"  # every byte of the model's files is compared with what was published
    LOADING = "loading"  # the model's files are read
    COMPILING = "compiling"  # the model is fitted to its device, by engines that do this apart from loading
    WARMING = "warming"  # clips are heard: none may mix with another, and known words must come out
    READY = "ready"
    DRAINING = "draining"  # finishes what it has, takes nothing new
    FAILED = "failed"  # the process is about to end


_BEFORE_LOADED = frozenset({Phase.STARTING, Phase.VERIFYING, Phase.LOADING, Phase.COMPILING})
NOT_LOADED = _BEFORE_LOADED | {Phase.FAILED}
_BEFORE_READY = _BEFORE_LOADED | {Phase.WARMING}
_RETRY_SECONDS = 2.0


class LifeCycle:
    """The current phase and how many requests are in flight."""

    def __init__(self) -> None:
        self.phase = Phase.STARTING
        self.reason: str | None = None
        self._in_flight = set[asyncio.Timeout]()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def in_flight(self) -> int:
        """Requests begun and not answered."""
        return len(self._in_flight)

    @property
    def ready(self) -> bool:
        """Whether requests are welcome."""
        return self.phase is Phase.READY

    @property
    def started(self) -> bool:
        """Whether loading and warming up are over."""
        return self.phase in (Phase.READY, Phase.DRAINING)

    @property
    def failed(self) -> bool:
        """Whether only a new process can serve again."""
        return self.phase is Phase.FAILED

    def enter(self, phase: Phase, reason: str | None = None) -> None:
        """Go on to another phase; from draining only to failed, and from there to none."""
        last = self.failed or (self.phase is Phase.DRAINING and phase is not Phase.FAILED)
        if not last:
            self.phase, self.reason = phase, reason

    def require_ready(self) -> None:
        """Refuse a request that has come too early or too late. Another runtime may answer it, so always with 503."""
        if refusal := self.refusal():
            raise refusal

    def refusal(self) -> Unavailable | None:
        """What a request is told now, if it is not welcome."""
        if self.phase in _BEFORE_READY:
            kind = Compiling if self.phase is Phase.COMPILING else Loading
            return kind(f"the model is not ready yet ({self.phase}); try again soon", retry_after=_RETRY_SECONDS)
        if self.phase is Phase.DRAINING:
            return Draining("this runtime is shutting down; another one will answer", retry_after=_RETRY_SECONDS)
        if self.failed:
            return DeviceLost(f"this runtime has failed and ends: {self.reason}", retry_after=_RETRY_SECONDS)
        return None

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """A request in flight; draining waits for it, and `cut_off` ends it wherever it is.

        Raises:
            Loading, Draining, DeviceLost
        """
        self.require_ready()
        request = asyncio.timeout(None)
        self._in_flight.add(request)
        self._idle.clear()
        try:
            async with request:
                yield
        except TimeoutError:
            if request.expired():
                self.require_ready()
            raise
        finally:
            self._in_flight.discard(request)
            if not self._in_flight:
                self._idle.set()

    def cut_off(self) -> None:
        """Answer all that is in flight at once, as newcomers are answered."""
        for request in self._in_flight:
            if not request.expired():
                request.reschedule(asyncio.get_running_loop().time())

    async def idle(self, within: float) -> bool:
        """Wait until nothing is in flight; whether that came true in time."""
        try:
            await asyncio.wait_for(self._idle.wait(), within)
        except TimeoutError:
            return False
        return True
