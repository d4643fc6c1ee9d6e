"""Where a runtime is in its life, and what that means for requests and probes. Lives on the event loop.

Starting → Loading → Warming → Ready → Draining; Failed when the model cannot be served.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from whisper_runtime.errors import Draining, EngineError, Loading


class Phase(StrEnum):
    """The phases, in order."""

    STARTING = "starting"
    LOADING = "loading"  # the model's files are read
    WARMING = "warming"  # clips are heard: none may mix with another, and known words must come out
    READY = "ready"
    DRAINING = "draining"  # finishes what it has, takes nothing new
    FAILED = "failed"


_BEFORE_READY = frozenset({Phase.STARTING, Phase.LOADING, Phase.WARMING})
_RETRY_SECONDS = 2.0


class LifeCycle:
    """The current phase and how many requests are in flight."""

    def __init__(self) -> None:
        self.phase = Phase.STARTING
        self.reason: str | None = None
        self.in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def ready(self) -> bool:
        """Whether requests are welcome."""
        return self.phase is Phase.READY

    @property
    def started(self) -> bool:
        """Whether loading and warming up are over."""
        return self.phase in (Phase.READY, Phase.DRAINING)

    def enter(self, phase: Phase, reason: str | None = None) -> None:
        """Go on to another phase; draining is final."""
        if self.phase is not Phase.DRAINING:
            self.phase, self.reason = phase, reason

    def require_ready(self) -> None:
        """Refuse a request that has come too early or too late."""
        if self.phase in _BEFORE_READY:
            raise Loading(f"the model is not ready yet ({self.phase}); try again soon", retry_after=_RETRY_SECONDS)
        if self.phase is Phase.DRAINING:
            raise Draining("this runtime is shutting down; another one will answer", retry_after=_RETRY_SECONDS)
        if self.phase is Phase.FAILED:
            raise EngineError(f"the model could not be loaded: {self.reason}")

    @contextmanager
    def working(self) -> Iterator[None]:
        """A request in flight; draining waits for it."""
        self.require_ready()
        self.in_flight += 1
        self._idle.clear()
        try:
            yield
        finally:
            self.in_flight -= 1
            if not self.in_flight:
                self._idle.set()

    async def idle(self, within: float) -> bool:
        """Wait until nothing is in flight; whether that came true in time."""
        try:
            await asyncio.wait_for(self._idle.wait(), within)
        except TimeoutError:
            return False
        return True
