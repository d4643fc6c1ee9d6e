"""Runs the engine in threads of its own, so that the event loop answers probes while it works.

A ticket is held until its thread is done, also when nobody waits any more: a cancelled request takes its place until
the engine notices.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from whisper_runtime.engine import Engine, Options, Waveform
from whisper_runtime.serving.admission import Admission, Ticket
from whisper_runtime.serving.stop import StopFlag
from whisper_runtime.serving.threads import Threads, answer, one_requests_failure
from whisper_runtime.speech.transcription import Heard, OnSegments, nobody, seconds_of, transcribe


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was heard and how long it waited for its turn."""

    heard: Heard
    queue_seconds: float


class Inference:
    """The engine behind its queue."""

    def __init__(self, engine: Engine, admission: Admission) -> None:
        self.engine = engine
        self.admission = admission
        self.threads = Threads(engine.info.workers, "inference")

    async def prepare(self, work: Callable[[], None], stop: StopFlag) -> None:
        """Do what comes before the first request, in an inference thread.

        Raises:
            DeadlineExceeded, and whatever the work raises
        """
        await answer(self.threads.submit(work, stop), stop)

    async def run(
        self, audio: Waveform, options: Options, stop: StopFlag, *, vad: bool, on_segments: OnSegments = nobody
    ) -> Outcome:
        """Wait for a worker, then for its answer; `on_segments` is called in the worker's thread.

        Raises:
            QueueFull, DeadlineExceeded, EngineError
        """
        seconds = seconds_of(audio)
        ticket = self.admission.admit(seconds)
        release = _Release(asyncio.get_running_loop(), self.admission, ticket)
        try:
            hear = partial(transcribe, self.engine, audio, options, stop, vad=vad, on_segments=on_segments)
            future = self.threads.submit(partial(_outcome, hear, time.perf_counter()), stop)
        except BaseException:
            self.admission.release(ticket)
            raise
        future.add_done_callback(release)
        outcome = await answer(future, stop)
        heard = outcome.heard
        self.admission.measured(seconds, heard.inference_seconds + (heard.vad_seconds or 0.0))
        return outcome

    def close(self, within: float) -> bool:
        """Stop taking work and give the engine's memory back; whether it was free to be given back in time."""
        ended = self.threads.close(within)
        if ended:
            self.engine.close()
        return ended


def _outcome(hear: Callable[[], Heard], queued_at: float) -> Outcome:
    waited = time.perf_counter() - queued_at
    with one_requests_failure("the engine"):
        return Outcome(hear(), waited)


@dataclass(frozen=True, slots=True)
class _Release:
    """Gives a ticket back on the event loop, from whichever thread the work ended in."""

    loop: asyncio.AbstractEventLoop
    admission: Admission
    ticket: Ticket

    def __call__(self, _: Future[Outcome]) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.admission.release, self.ticket)
