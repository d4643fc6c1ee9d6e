"""Works through many files on few threads, a step of one and then of whichever is due, so that none holds a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from concurrent.futures import Future
from dataclasses import dataclass, field

from whisper_runtime.engine import SAMPLE_RATE
from whisper_runtime.serving.stop import Cancelled, StopFlag
from whisper_runtime.serving.threads import Threads, one_requests_failure
from whisper_runtime.serving.turns import Turns
from whisper_runtime.speech.transcription import Heard, Left, Next
from whisper_runtime.speech.windows import MAX_SAMPLES


@dataclass(eq=False, slots=True)
class Work:
    """One file: its steps, whichever threads they are done in, one after the other."""

    steps: Generator[Left | Heard, None, None]
    """Closed at the end, whatever it is: what they hold is given back then, not when nobody refers to them any more."""
    stop: StopFlag
    future: Future[Heard] = field(default_factory=Future)
    next: Next = Next.ALONE
    waited: float = 0.0
    """Seconds in which it had to wait for its turns."""
    _since: float = field(default_factory=time.perf_counter)

    def step(self) -> Left | Heard:
        """The next step; blocks.

        Raises:
            RequestFailure, Cancelled
        """
        self.waited += time.perf_counter() - self._since
        with one_requests_failure("the engine"):
            self.stop()
            made = next(self.steps)
        self._since = time.perf_counter()
        return made

    def begins(self) -> bool:
        """Whether somebody still waits for it; from the first step on it cannot be cancelled but by its flag."""
        return self.future.running() or self.future.set_running_or_notify_cancel()


class Stepwise:
    """Shares threads by turns: as many turns are queued as files wait, and each goes to whichever is due.

    Between the steps of windows that are heard together, what was encoded of them is kept. So that this takes no more
    memory however many long files there are, no more of them are in the middle of that than there are threads: another
    begins when one has ended. One of them is always waiting for its turn, or there would be no thread that takes one.
    """

    def __init__(self, threads: Threads, most_holding: int) -> None:
        self._threads, self._most_holding = threads, most_holding
        self._holding: set[Work] = set()
        self._turns: Turns[Work] = Turns(MAX_SAMPLES / SAMPLE_RATE)
        self._lock = threading.Lock()

    def begin(self, work: Work, left: float) -> None:
        """Do its steps as its turns come, so many seconds of audio in all."""
        with self._lock:
            self._turns.put(work, left)
        self._threads.queue(self._turn)

    def abandon(self, work: Work) -> None:
        """Nobody waits for it any more: drop it, unless a step is being done, which learns of it from its flag."""
        with self._lock:
            waited = self._turns.drop(work)
            if waited:
                work.steps.close()
                self._holding.discard(work)
        if waited and not work.future.cancel():
            work.future.set_exception(Cancelled())

    def abandon_all(self) -> None:
        """There will be no more turns."""
        with self._lock:
            left = tuple(self._turns)
        for work in left:
            self.abandon(work)

    def _turn(self) -> None:
        with self._lock:
            work = self._turns.take(self._may_begin)
            if work is not None and work.next is Next.OPENS:
                self._holding.add(work)
        if work is None:
            return
        made = self._step(work) if work.begins() else None
        with self._lock:
            if not (isinstance(made, Left) and made.next is Next.HOLDS):
                self._holding.discard(work)
        if isinstance(made, Left):
            work.next = made.next
            self._again(work, made.seconds)

    def _may_begin(self, work: Work) -> bool:
        return work.next is not Next.OPENS or len(self._holding) < self._most_holding

    def _step(self, work: Work) -> Left | Heard | None:
        """What was made; None where it failed."""
        with self._threads.watched(work.stop):
            try:
                made = work.step()
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is this file's
                work.steps.close()
                work.future.set_exception(error)
                return None
        if isinstance(made, Heard):
            work.future.set_result(made)
        return made

    def _again(self, work: Work, left: float) -> None:
        try:
            self.begin(work, left)
        except RuntimeError:  # the threads were closed meanwhile
            self.abandon(work)
