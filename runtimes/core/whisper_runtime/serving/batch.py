"""Files that nobody waits for on an open connection: each is a job, heard one after the other, in turns with requests.

What waits is an upload on disk; what is done is an answer on disk. Jobs live in this process: one that ends takes them
with it, and says so for as long as it can. Lives on the event loop.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from whisper_runtime.errors import DeadlineExceeded, EngineError, JobNotFound, QueueFull, RequestFailure
from whisper_runtime.serving.job import Answer, BatchJob, State

_LOG = logging.getLogger(__name__)
_SOON = 2.0

Work = Callable[[BatchJob], Coroutine[Any, Any, Answer]]
"""Hears a job's file."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most there may be."""

    audio_seconds: float
    """Waiting and at work, as far as files say how long they are."""
    seconds: float
    """From a job's arrival to its end."""
    keep_seconds: float
    """From its end until it is forgotten."""
    jobs: int = 32
    """Waiting and at work."""
    answers: int = 100
    answer_bytes: int = 128 << 20


class Batch:
    """Jobs by their ids; of those that have ended, the oldest are forgotten first."""

    def __init__(self, bounds: Bounds, time_for: Callable[[float], float], ended: Callable[[BatchJob], None]) -> None:
        self._bounds, self._time_for, self._told = bounds, time_for, ended
        self._jobs: dict[str, BatchJob] = {}
        self._tasks: dict[str, asyncio.Task[Answer]] = {}
        self._turn = asyncio.Lock()  # first come, first served

    def count(self, state: State) -> int:
        """How many jobs are in a state."""
        return sum(job.state is state for job in self._jobs.values())

    def known(self, key: str | None) -> BatchJob | None:
        """The job that was sent before under this key; not one of which the error says to send it again."""
        same = (job for job in self._jobs.values() if key is not None and job.key == key)
        return next((job for job in same if job.error is None or job.error.permanent), None)

    def find(self, job_id: str) -> BatchJob:
        """A job that is known here.

        Raises:
            JobNotFound
        """
        if job_id in self._jobs:
            return self._jobs[job_id]
        kept = f"{self._bounds.keep_seconds:g} seconds after its end"
        message = (
            "no such job here: a job is known only to the process that took it, until it was deleted, until "
            f"{kept}, or until that process ended; in the last case send the file again"
        )
        raise JobNotFound(message, param="id")

    def require_room(self, seconds: float = 0.0) -> None:
        """Refuse a job for which there is no room, so many seconds long as far as it says.

        Raises:
            QueueFull
        """
        unfinished = [job for job in self._jobs.values() if not job.ended]
        waiting = sum(job.left or 0.0 for job in unfinished)
        bounds, retry = self._bounds, max(_SOON, self._time_for(waiting))
        if len(unfinished) >= bounds.jobs:
            raise QueueFull(f"{bounds.jobs} jobs are waiting; try again as Retry-After says", retry_after=retry)
        if unfinished and waiting + seconds > bounds.audio_seconds:
            full = f"{waiting:.0f} of {bounds.audio_seconds:.0f} seconds of audio are waiting in jobs"
            raise QueueFull(f"{full}; try again as Retry-After says", retry_after=retry)

    def add(self, job: BatchJob, work: Work) -> None:
        """Do the work when all jobs before it have ended; `job.close` is called at its end, whatever that is.

        Raises:
            QueueFull
        """
        self.require_room(job.left or 0.0)
        self._jobs[job.id] = job
        task = self._tasks[job.id] = asyncio.ensure_future(self._in_turn(job, work))
        task.add_done_callback(partial(self._end, job))

    async def _in_turn(self, job: BatchJob, work: Work) -> Answer:
        try:
            async with asyncio.timeout(self._bounds.seconds), self._turn:
                job.begin()
                return await work(job)
        except TimeoutError as error:
            raise DeadlineExceeded(f"the job took longer than the {self._bounds.seconds:g} seconds allowed") from error

    def _end(self, job: BatchJob, task: asyncio.Task[Answer]) -> None:
        self._tasks.pop(job.id, None)
        job.close()
        if task.cancelled():
            job.end(State.CANCELLED)
        elif (error := task.exception()) is not None:
            job.end(State.FAILED, error=_failure(error, job))
        else:
            job.end(State.DONE, answer=task.result())
        self._told(job)
        if job.id not in self._jobs:  # it was deleted
            job.discard()
            return
        asyncio.get_running_loop().call_later(self._bounds.keep_seconds, self._forget, job)
        self._shrink()

    def _shrink(self) -> None:
        """Forget the oldest answers until the others fit."""
        kept = sorted((job for job in self._jobs.values() if job.ended), key=lambda job: job.ended_at or job.created_at)
        sizes = [job.answer.size if job.answer else 0 for job in kept]
        for number, job in enumerate(kept[:-1]):
            if len(kept) - number <= self._bounds.answers and sum(sizes[number:]) <= self._bounds.answer_bytes:
                return
            self._forget(job)

    def _forget(self, job: BatchJob) -> None:
        if self._jobs.pop(job.id, None) is not None:
            job.discard()

    def delete(self, job_id: str) -> BatchJob:
        """End a job and forget it; what it was.

        Raises:
            JobNotFound
        """
        job = self.find(job_id)
        self._cancel(job, None)
        self._forget(job)
        return job

    def cut_off(self, why: RequestFailure) -> None:
        """End all jobs, for a reason that whoever asks for them is told."""
        for job in [job for job in self._jobs.values() if not job.ended]:
            self._cancel(job, why)

    def close(self) -> None:
        """Forget all jobs."""
        for job_id in list(self._jobs):
            self.delete(job_id)

    def _cancel(self, job: BatchJob, why: RequestFailure | None) -> None:
        if job.ended:
            return
        job.end(State.CANCELLED, error=why)
        self._tasks[job.id].cancel()


def _failure(error: BaseException, job: BatchJob) -> RequestFailure:
    if isinstance(error, RequestFailure):
        return error
    _LOG.error("a job failed", exc_info=error, extra={"request_id": job.request_id})
    return EngineError(f"an unexpected {type(error).__name__}; the log has more under this request's id")


def new_id() -> str:
    """Nobody guesses it: whoever knows it may read the answer."""
    return uuid.uuid4().hex
