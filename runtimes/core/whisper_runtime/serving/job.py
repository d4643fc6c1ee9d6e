"""One job of a batch: what is known of it, from its arrival until it is forgotten."""

from __future__ import annotations

import os
import tempfile
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from whisper_runtime.errors import RequestFailure


class State(StrEnum):
    """The states, in order; the last three are ends."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Answer:
    """An answer on disk, under no name: it is gone with its process, and with the last who holds it.

    Whoever asked for it may be gone before the thread that writes it is done; then nobody is left to close it.
    """

    def __init__(self, content: bytes) -> None:
        """Blocks."""
        self.size = len(content)
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed with this
        self._close = weakref.finalize(self, self._file.close)
        left = memoryview(content)
        while left:
            left = left[self._file.write(left) :]

    def reader(self) -> Callable[[], bytes]:
        """What gives the content, once, also after this was closed; blocks."""
        copy, size = os.fdopen(os.dup(self._file.fileno()), "rb", buffering=0), self.size  # closed also if never read

        def read() -> bytes:
            with copy:
                return os.pread(copy.fileno(), size, 0)

        return read

    def close(self) -> None:
        """Give the room back; may be called again."""
        self._close()


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(eq=False, slots=True)
class BatchJob:
    """A file on its way to an answer. It is also the place in the queue of what is being heard of it: it takes none."""

    id: str
    request_id: str
    key: str | None
    degraded: tuple[str, ...]
    audio_seconds: float | None
    """As far as the file says; as decoded, once it is."""
    close: Callable[[], None]
    """Lets go of the upload; may be called again."""
    state: State = State.QUEUED
    left: float | None = None
    """Seconds of audio that are not heard yet."""
    created_at: datetime = field(default_factory=_now)
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error: RequestFailure | None = None
    answer: Answer | None = None
    _heard_since: float | None = None

    def __post_init__(self) -> None:
        self.left = self.audio_seconds

    @property
    def ended(self) -> bool:
        """Whether it changes no more."""
        return self.state not in (State.QUEUED, State.RUNNING)

    def begin(self) -> None:
        """It is its turn."""
        self.state, self.started_at = State.RUNNING, _now()

    def admit(self, seconds: float) -> BatchJob:
        """It is decoded, and so many seconds long."""
        self.audio_seconds = self.left = seconds
        self._heard_since = time.monotonic()
        return self

    def heard(self, left: float) -> None:
        """So many seconds are left to hear."""
        self.left = left

    def release(self) -> None:
        """It took no place."""

    @property
    def progress(self) -> float:
        """From 0 to 1, by audio."""
        if self.state is State.DONE:
            return 1.0
        if self.state is State.QUEUED or not self.audio_seconds or self.left is None:
            return 0.0
        return max(0.0, 1.0 - self.left / self.audio_seconds)

    @property
    def seconds_left(self) -> float | None:
        """Until its end, at the pace so far; None as long as nothing of it was heard."""
        if self.ended:
            return 0.0
        done = self.progress
        if not done or self._heard_since is None:
            return None
        return (time.monotonic() - self._heard_since) * (1.0 - done) / done

    def end(self, state: State, *, error: RequestFailure | None = None, answer: Answer | None = None) -> None:
        """The first end counts."""
        if self.ended:
            if answer is not None:
                answer.close()
            return
        self.state, self.ended_at, self.error, self.answer = state, _now(), error, answer

    def discard(self) -> None:
        """Let go of the answer."""
        if self.answer is not None:
            self.answer.close()
            self.answer = None
