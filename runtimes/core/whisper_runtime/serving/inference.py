"""Runs the engine in threads of its own, so that the event loop answers probes while it works.

A ticket is held until the last step is done, also when nobody waits any more: a cancelled request takes its place until
the engine notices.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from dataclasses import dataclass

from whisper_runtime.engine import Engine, Options, Waveform
from whisper_runtime.serving.admission import Admission, Place
from whisper_runtime.serving.stepwise import Stepwise, Work
from whisper_runtime.serving.stop import StopFlag
from whisper_runtime.serving.threads import Threads, answer
from whisper_runtime.speech.spans import Sensitivity
from whisper_runtime.speech.transcription import Heard, Left, OnSegments, nobody, seconds_of, steps

Admit = Callable[[float], Place]
"""A place for so many seconds of audio; raises where there is none."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was heard and how long it waited for its turns."""

    heard: Heard
    queue_seconds: float


class Inference:
    """The engine behind its queue."""

    def __init__(self, engine: Engine, admission: Admission) -> None:
        self.engine = engine
        self.admission = admission
        self.threads = Threads(engine.info.workers, "inference")
        self._stepwise = Stepwise(self.threads, engine.info.workers)

    async def prepare(self, work: Callable[[], None], stop: StopFlag) -> None:
        """Do what comes before the first request, in an inference thread.

        Raises:
            DeadlineExceeded, and whatever the work raises
        """
        await answer(self.threads.submit(work, stop), stop)

    async def run(
        self,
        audio: Waveform,
        options: Options,
        stop: StopFlag,
        *,
        vad: Sensitivity | None,
        on_segments: OnSegments = nobody,
        admit: Admit | None = None,
    ) -> Outcome:
        """Wait for its turns, then for its answer; `on_segments` is called in a worker's thread.

        Raises:
            QueueFull, DeadlineExceeded, EngineError
        """
        seconds = seconds_of(audio)
        place = _OnLoop(asyncio.get_running_loop(), (admit or self.admission.admit)(seconds))
        hearing = place.shrinking(steps(self.engine, audio, options, stop, vad=vad, on_segments=on_segments))
        work = Work(hearing, stop)
        work.future.add_done_callback(place.release)
        try:
            self._stepwise.begin(work, seconds)
            heard = await answer(work.future, stop)
        finally:
            self._stepwise.abandon(work)
        self.admission.measured(seconds, heard.inference_seconds + (heard.vad_seconds or 0.0))
        return Outcome(heard, work.waited)

    def close(self, within: float) -> bool:
        """Stop taking work and give the engine's memory back; whether it was free to be given back in time."""
        ended = self.threads.close(within)
        self._stepwise.abandon_all()
        if ended:
            self.engine.close()
        return ended


@dataclass(frozen=True, slots=True)
class _OnLoop:
    """Gives a place back on the event loop, bit by bit, from whichever threads the work is done in."""

    loop: asyncio.AbstractEventLoop
    place: Place

    def shrinking(self, hearing: Iterator[Left | Heard]) -> Generator[Left | Heard, None, None]:
        """The same steps; what is heard takes no place any more."""
        for made in hearing:
            if isinstance(made, Left):
                self.loop.call_soon_threadsafe(self.place.heard, made.seconds)
            yield made

    def release(self, _: Future[Heard]) -> None:
        """All of it."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.place.release)
