"""Bounds what uploads hold in memory and on disk, all requests together. Lives on the event loop.

Admission counts seconds of audio, which are known only once a file has been read. Until then many large uploads at once
would fill the pod's scratch volume, and Kubernetes evicts a pod for that.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from whisper_runtime.errors import QueueFull

IN_MEMORY = 1 << 20
"""Bytes of an upload that stay in memory; more go to disk. Each request counts as one that has as much."""
_RETRY_SECONDS = 2.0


class Held:
    """What one request holds."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._arrived = 0
        self.counted = 0

    def arrived(self, count: int) -> None:
        """More bytes of the upload.

        Raises:
            QueueFull: there is no room for them beside the other uploads.
        """
        self._arrived += count
        self._scratch.count(self, max(IN_MEMORY, self._arrived))


class Scratch:
    """Bytes held by all requests, against the most there may be."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.held = 0

    @contextmanager
    def hold(self) -> Iterator[Held]:
        """A request's share, given back at its end.

        Raises:
            QueueFull
        """
        mine = Held(self)
        try:
            mine.arrived(0)
            yield mine
        finally:
            self.held -= mine.counted

    def count(self, mine: Held, now: int) -> None:
        """A request holds `now` bytes. Whatever its size, there is room when it is the only one."""
        others = self.held - mine.counted
        if others and others + now > self.capacity:
            message = f"other uploads fill {others} of {self.capacity} bytes; try again as Retry-After says"
            raise QueueFull(message, retry_after=_RETRY_SECONDS)
        self.held, mine.counted = others + now, now
