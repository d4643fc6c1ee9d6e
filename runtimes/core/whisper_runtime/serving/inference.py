"""Runs the engine in threads of its own, so that the event loop answers probes while it works.

A ticket is held until its thread is done, also when nobody waits any more: a cancelled request takes its place until
the engine notices.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from whisper_runtime.engine import Artifact, Engine, Options, Waveform
from whisper_runtime.errors import EngineError, RequestFailure
from whisper_runtime.serving.admission import Admission, Ticket
from whisper_runtime.serving.stop import Cancelled, StopFlag
from whisper_runtime.speech.transcription import Heard, seconds_of, transcribe


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
        self._threads = ThreadPoolExecutor(engine.info.workers, thread_name_prefix="inference")

    async def load(self, artifact: Artifact) -> None:
        """Load the model, in an inference thread."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self.engine.load, artifact)

    async def run(self, audio: Waveform, options: Options, stop: StopFlag, *, vad: bool) -> Outcome:
        """Wait for a worker, then for its answer.

        Raises:
            QueueFull, DeadlineExceeded, EngineError
        """
        seconds = seconds_of(audio)
        ticket = self.admission.admit(seconds)
        future = self._threads.submit(self._work, audio, options, stop, vad, time.perf_counter())
        future.add_done_callback(self._releasing(ticket))
        try:
            outcome = await asyncio.wait_for(asyncio.wrap_future(future), stop.left)
        except TimeoutError as error:
            raise stop.exceeded() from error
        finally:
            stop.cancel()
        heard = outcome.heard
        self.admission.measured(seconds, heard.inference_seconds + (heard.vad_seconds or 0.0))
        return outcome

    def _work(self, audio: Waveform, options: Options, stop: StopFlag, vad: bool, queued_at: float) -> Outcome:  # noqa: FBT001 - called by the pool, which passes positions
        waited = time.perf_counter() - queued_at
        stop()
        try:
            return Outcome(transcribe(self.engine, audio, options, stop, vad=vad), waited)
        except (RequestFailure, Cancelled):
            raise
        except Exception as error:
            raise EngineError(f"the engine failed: {type(error).__name__}: {error}") from error

    def _releasing(self, ticket: Ticket) -> _Release:
        return _Release(asyncio.get_running_loop(), self.admission, ticket)

    def close(self) -> None:
        """Stop taking work and give the engine's memory back."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        self.engine.close()


@dataclass(frozen=True, slots=True)
class _Release:
    """Gives a ticket back on the event loop, from whichever thread the work ended in."""

    loop: asyncio.AbstractEventLoop
    admission: Admission
    ticket: Ticket

    def __call__(self, _: Future[Outcome]) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.admission.release, self.ticket)
