"""How much audio may wait, and when to come back if it is too much. Pure; lives on the event loop.

The bound is in seconds of audio, since that is what waiting costs; a request's size in bytes says nothing. Files are
heard in turns, so a long one keeps nobody waiting for more than a window: it takes half of the queue at most, and one
of them at a time. The other half is always there for what is shorter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from whisper_runtime.errors import QueueFull

_WEIGHT = 0.2  # of a new measurement in the running mean of the speed
_SOONEST = 0.1
_SHARE = 0.5  # of the queue, that one file takes at most


class Place(Protocol):
    """Where a file waits to be heard, until it is released."""

    def heard(self, left: float) -> None:
        """So many seconds of the audio are left to hear."""

    def release(self) -> None:
        """Nothing of it is heard any more."""


@dataclass(eq=False, slots=True)
class Ticket:
    """A place in the queue: what is heard of its audio is room for others."""

    admission: Admission
    left: float

    def heard(self, left: float) -> None:
        """So many seconds of the audio are left to hear."""
        self.left = left

    def release(self) -> None:
        """Give it back."""
        self.admission.tickets.discard(self)

    @property
    def room(self) -> float:
        """What it takes of the queue, in seconds."""
        return min(self.left, self.admission.share)


class Admission:
    """Seconds of audio admitted and not heard, against the most there may be."""

    def __init__(self, capacity_seconds: float, workers: int) -> None:
        self.capacity_seconds = capacity_seconds
        self.share = capacity_seconds * _SHARE
        self.tickets = set[Ticket]()
        self.speed = 1.0
        """Seconds of audio that one worker transcribes in a second."""
        self._measured = False
        self._workers = workers

    @property
    def depth(self) -> int:
        """Requests admitted and not finished."""
        return len(self.tickets)

    @property
    def queued_seconds(self) -> float:
        """What is left to hear of all that was admitted."""
        return sum(ticket.left for ticket in self.tickets)

    @property
    def taken_seconds(self) -> float:
        """What that takes of the queue."""
        return sum(ticket.room for ticket in self.tickets)

    def admit(self, seconds: float) -> Ticket:
        """A place for so much audio. Whatever its length, it is admitted when nothing else is there.

        Raises:
            QueueFull: with the time after which there will be room.
        """
        ticket = Ticket(self, seconds)
        if seconds > self.share and (others := self._longer()):
            raise self._full(f"another long file is being heard, with {others:.0f} seconds left", others - self.share)
        if self.taken_seconds + ticket.room > self.capacity_seconds:
            raise self.refusal()
        self.tickets.add(ticket)
        return ticket

    def _longer(self) -> float:
        """What is left of the one file that is longer than its share, if there is one."""
        return next((ticket.left for ticket in self.tickets if ticket.left > self.share), 0.0)

    def require_room(self) -> None:
        """Refuse early, before an upload is even decoded, when there is no room for anything."""
        if self.taken_seconds >= self.capacity_seconds:
            raise self.refusal()

    def refusal(self) -> QueueFull:
        """What a request is told for which there is no room."""
        taken = self.taken_seconds
        return self._full(f"{taken:.0f} of {self.capacity_seconds:.0f} seconds of audio are waiting", taken)

    def _full(self, why: str, seconds: float) -> QueueFull:
        return QueueFull(f"{why}; try again as Retry-After says", retry_after=self.time_for(seconds))

    def measured(self, audio_seconds: float, took: float) -> None:
        """Learn how fast one worker is."""
        if audio_seconds <= 0 or took <= 0:
            return
        speed = audio_seconds / took
        self.speed = self.speed + _WEIGHT * (speed - self.speed) if self._measured else speed
        self._measured = True

    def time_for(self, seconds: float) -> float:
        """Seconds of audio ÷ measured speed ÷ workers."""
        return max(_SOONEST, seconds / self.speed / self._workers)
