"""Ends work that nobody waits for: the client has gone, or the request's time is over.

An engine asks after every step whether to go on; that it asks is also how a hung one is told from a busy one.
"""

from __future__ import annotations

import threading
import time

from whisper_runtime.errors import DeadlineExceeded


class Cancelled(Exception):  # noqa: N818 - a signal between threads, not an error
    """The client has gone; there is no one to answer."""


class StopFlag:
    """An engine's `Stop`: set from the event loop, read in a working thread."""

    def __init__(self, seconds: float, request_id: str) -> None:
        self.seconds = seconds
        self.request_id = request_id
        self.polls = 0
        """How often it was asked: grows as long as the work makes progress."""
        self._deadline = time.monotonic() + seconds
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Nobody waits any more."""
        self._cancelled.set()

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return max(0.0, self._deadline - time.monotonic())

    def exceeded(self) -> DeadlineExceeded:
        """What the caller is told when the time is over."""
        return DeadlineExceeded(f"the request took longer than the {self.seconds:g} seconds allowed")

    def __call__(self) -> None:
        """Go on, or raise Cancelled or DeadlineExceeded."""
        self.polls += 1
        if self._cancelled.is_set():
            raise Cancelled
        if time.monotonic() > self._deadline:
            raise self.exceeded()
