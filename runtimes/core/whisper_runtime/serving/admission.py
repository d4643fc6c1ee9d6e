"""How much audio may wait, and when to come back if it is too much. Pure; lives on the event loop.

The bound is in seconds of audio, since that is what waiting costs; a request's size in bytes says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from whisper_runtime.errors import QueueFull

_WEIGHT = 0.2  # of a new measurement in the running mean of the speed
_SOONEST = 0.1


@dataclass(eq=False, slots=True)
class Ticket:
    """A place in the queue, until it is released."""

    seconds: float
    """Of its audio, less what was heard."""


class Admission:
    """Seconds of audio admitted and not heard, against the most there may be."""

    def __init__(self, capacity_seconds: float, workers: int) -> None:
        self.capacity_seconds = capacity_seconds
        self.queued_seconds = 0.0
        self.depth = 0
        self.speed = 1.0
        """Seconds of audio that one worker transcribes in a second."""
        self._measured = False
        self._workers = workers

    def admit(self, seconds: float) -> Ticket:
        """A place for so much audio. Whatever its length, it is admitted when nothing else is there.

        Raises:
            QueueFull: with the time after which what waits now will be done.
        """
        if self.depth and self.queued_seconds + seconds > self.capacity_seconds:
            raise self.refusal()
        self.queued_seconds += seconds
        self.depth += 1
        return Ticket(seconds)

    def require_room(self) -> None:
        """Refuse early, before an upload is even decoded, when there is no room for anything."""
        if self.depth and self.queued_seconds >= self.capacity_seconds:
            raise self.refusal()

    def refusal(self) -> QueueFull:
        """What a request is told for which there is no room."""
        waiting = f"{self.queued_seconds:.0f} of {self.capacity_seconds:.0f} seconds of audio are waiting"
        return QueueFull(f"{waiting}; try again as Retry-After says", retry_after=self.retry_after())

    def heard(self, ticket: Ticket, left: float) -> None:
        """So much of the audio is left to hear; the rest is room for others."""
        self.queued_seconds -= ticket.seconds - left
        ticket.seconds = left

    def release(self, ticket: Ticket) -> None:
        """Give a place back."""
        self.depth -= 1
        self.queued_seconds = self.queued_seconds - ticket.seconds if self.depth else 0.0

    def measured(self, audio_seconds: float, took: float) -> None:
        """Learn how fast one worker is."""
        if audio_seconds <= 0 or took <= 0:
            return
        speed = audio_seconds / took
        self.speed = self.speed + _WEIGHT * (speed - self.speed) if self._measured else speed
        self._measured = True

    def retry_after(self) -> float:
        """Queued audio ÷ measured speed ÷ workers, in seconds."""
        return max(_SOONEST, self.queued_seconds / self.speed / self._workers)
