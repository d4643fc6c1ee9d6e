"""Bounds what requests hold on disk: uploads, most of which are there, and hours of decoded audio.

Admission counts seconds of audio, which are known only once a file has been read. Until then many large uploads at once
would fill the pod's scratch volume, and Kubernetes evicts a pod for that. Counted on the event loop and in decoders.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from whisper_runtime.errors import QueueFull
from whisper_runtime.serving.stop import Cancelled

IN_MEMORY = 1 << 20
"""Bytes of an upload that stay in memory; more go to disk. Each request counts as one that has as much."""
_RETRY_SECONDS = 2.0


class Held:
    """What one request holds."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self.arrived = 0
        self.counted = 0
        self.given_back = False

    def take(self, count: int) -> None:
        """More bytes, of the upload or of what is decoded from it.

        Raises:
            QueueFull: there is no room for them beside what the others hold.
            Cancelled: the request has ended.
        """
        self._scratch.take(self, count)

    def give_back(self) -> None:
        """All of it, for good."""
        self._scratch.give_back(self)


class Scratch:
    """Bytes held by all requests, against the most there may be."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.held = 0
        self._lock = threading.Lock()

    def open(self) -> Held:
        """A request's share, to be given back at its end.

        Raises:
            QueueFull
        """
        mine = Held(self)
        self.take(mine, 0)
        return mine

    @contextmanager
    def hold(self) -> Iterator[Held]:
        """A request's share, for as long as this lasts.

        Raises:
            QueueFull
        """
        mine = self.open()
        try:
            yield mine
        finally:
            mine.give_back()

    def take(self, mine: Held, count: int) -> None:
        """A request holds so many bytes more. Whatever its size, there is room when it is the only one."""
        with self._lock:
            if mine.given_back:
                raise Cancelled
            now, others = max(IN_MEMORY, mine.arrived + count), self.held - mine.counted
            if others and others + now > self.capacity:
                message = f"other requests fill {others} of {self.capacity} bytes; try again as Retry-After says"
                raise QueueFull(message, retry_after=_RETRY_SECONDS)
            mine.arrived += count
            self.held, mine.counted = others + now, now

    def give_back(self, mine: Held) -> None:
        """A request holds nothing any more."""
        with self._lock:
            self.held -= mine.counted
            mine.counted, mine.given_back = 0, True
