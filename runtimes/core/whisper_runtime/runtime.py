"""One running service: an engine with its queue, names, life and metrics, and the way a request takes through them.

The endpoints differ in how a request arrives and how its answer looks; what happens between is here.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from whisper_runtime.engine import Artifact, Compiles, Engine, Options, Stop, Waveform
from whisper_runtime.errors import DeviceLost, Draining
from whisper_runtime.names import Names
from whisper_runtime.options import checked
from whisper_runtime.serving.admission import Admission
from whisper_runtime.serving.batch import Batch, Bounds
from whisper_runtime.serving.batch_metrics import BatchMetrics
from whisper_runtime.serving.canary import prove
from whisper_runtime.serving.inference import Admit, Inference, Outcome
from whisper_runtime.serving.job import BatchJob
from whisper_runtime.serving.lifecycle import LifeCycle, Phase
from whisper_runtime.serving.metrics import Metrics
from whisper_runtime.serving.scratch import Held, Scratch
from whisper_runtime.serving.stop import StopFlag
from whisper_runtime.serving.threads import Threads, answer, one_requests_failure
from whisper_runtime.serving.verify import verify
from whisper_runtime.serving.watch import Watch
from whisper_runtime.settings import Settings
from whisper_runtime.speech.spans import DEFAULT, Sensitivity
from whisper_runtime.speech.transcription import OnSegments, nobody, seconds_of

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
_DECODERS = 2
"""Files unpacked or decoded at the same time; each may hold `max_audio_seconds` in memory."""
_WITHOUT_ENGINE = frozenset({"batch"})
_LOOK = 1.0
"""Seconds between two looks at whether the threads make progress."""
_SLACK = 4
"""So much longer than its longest step in the checks before the first request a healthy engine may be silent: beside
others it has fewer cores, and on a small machine one step of a large model alone takes minutes."""
_JOIN = 5.0
"""Seconds that threads have to end in, when nobody waits for their work any more."""


@dataclass(frozen=True, slots=True)
class Job:
    """One file to transcribe. `decode` blocks and gives its waveform."""

    decode: Callable[[Stop], Waveform]
    options: Options
    endpoint: str
    request_id: str
    vad: Sensitivity | None = DEFAULT
    """What counts as speech; None to have silence heard as well."""
    on_segments: OnSegments = nobody
    """Called in a thread of inference."""


@dataclass(frozen=True, slots=True)
class Done:
    """A job's outcome with its audio's length and the seconds that decoding took."""

    outcome: Outcome
    audio_seconds: float
    decode_seconds: float
    total_seconds: float


class Runtime:
    """Created for one process; `start` brings the model up, `close` ends it."""

    def __init__(self, engine: Engine, artifact: Artifact, settings: Settings) -> None:
        self.engine, self.artifact, self.settings = engine, artifact, settings
        self.names = Names(artifact.model, settings.served_model_name)
        self.life = LifeCycle()
        self.admission = Admission(settings.max_queue_seconds, engine.info.workers)
        self.inference = Inference(engine, self.admission)
        self.metrics = Metrics(artifact.model, lambda: engine.info, self.admission)
        self.scratch = Scratch(settings.max_spool_bytes)
        self.batch_scratch = Scratch(settings.max_batch_spool_bytes)
        bounds = Bounds(settings.max_batch_queue_seconds, settings.batch_seconds, settings.batch_keep_seconds)
        self.batch = Batch(bounds, self.admission.time_for, self._job_ended)
        self.batch_metrics = BatchMetrics(self.metrics.registry, self.batch.count)
        self.ended = False
        """Whether every thread has ended, so that the process can end in the usual way."""
        self._decoders = Threads(_DECODERS, "decoding")
        self._watch: Watch[StopFlag | Threads] | None = None

    @property
    def service(self) -> str:
        """What errors call this service."""
        return f"whisper-{self.engine.info.runtime}"

    @property
    def capabilities(self) -> frozenset[str]:
        """What can be done here: what the engine can, and what needs no engine."""
        return self.engine.info.capabilities | _WITHOUT_ENGINE

    async def start(self) -> None:
        """Load and prove the model; ends in Ready or Failed."""
        begun = time.perf_counter()
        try:
            await self._load()
            self.metrics.loaded(time.perf_counter() - begun)
            self._enter(Phase.WARMING)
            warming = self._watch = Watch[StopFlag | Threads]()
            self.metrics.proved(await prove(self.inference, self.artifact))
            self._watch = Watch(max(self.settings.hung_seconds, _SLACK * warming.slowest))
            self._enter(Phase.READY)
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends in Failed and in the log
            _LOG.exception("the model cannot be served")
            self._enter(Phase.FAILED, f"{type(error).__name__}: {error}")

    async def _load(self) -> None:
        patience = StopFlag(self.settings.load_seconds, "loading")
        self._enter(Phase.VERIFYING)
        await self.inference.prepare(partial(verify, self.artifact, self.settings.threads), patience)
        self._enter(Phase.LOADING)
        await self.inference.prepare(partial(self.engine.load, self.artifact), patience)
        if isinstance(self.engine, Compiles):
            self._enter(Phase.COMPILING)
            await self.inference.prepare(self.engine.compile, patience)

    async def watch(self) -> None:
        """Notice threads that hang; ends in Failed, or never."""
        looked, pause = time.monotonic(), min(_LOOK, self.settings.hung_seconds / 5)
        while not self.life.failed:
            await asyncio.sleep(pause)
            now = time.monotonic()
            self._look(min(now - looked, 2 * pause))
            looked = now

    def _look(self, elapsed: float) -> None:
        if self._watch is None:
            return
        hung = self._watch.look(self.inference.threads.counters() | self._decoders.counters(), elapsed)
        if hung:
            self._fail_for(hung, self._watch.limit)

    def _fail_for(self, hung: list[StopFlag | Threads], limit: float) -> None:
        """End it all: a thread cannot be ended alone, and what it holds is never given back."""
        for one in hung:
            request_id = one.request_id if isinstance(one, StopFlag) else None
            _LOG.error("a thread has made no progress for %.0f seconds", limit, extra={"request_id": request_id})
        self.metrics.hung(len(hung))
        self._enter(Phase.FAILED, f"InferenceHung: no progress for {limit:.0f} seconds: the runtime is started anew")
        self._cut_off()

    def _cut_off(self) -> None:
        self.life.cut_off()
        self._end_jobs()

    def _end_jobs(self) -> None:
        """They live no longer than this process."""
        kind = DeviceLost if self.life.failed else Draining
        self.batch.cut_off(kind("this runtime ends before the job is done: send the file again"))

    def _job_ended(self, job: BatchJob) -> None:
        self.batch_metrics.ended(job.state)
        _LOG.info("a job has ended: %s", job.state, extra={"request_id": job.request_id})

    def _enter(self, phase: Phase, reason: str | None = None) -> None:
        self.life.enter(phase, reason)
        _LOG.info("life cycle", extra={"phase": str(self.life.phase)})

    def checked(self, options: Options) -> tuple[Options, list[str]]:
        """Options as this engine can honour them, and the names of those that it cannot.

        Raises:
            InvalidRequest, UnsupportedTask: where going on would give nonsense.
        """
        return checked(options, self.engine.info, self.names.model)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[Held]:
        """A request in flight. One for which there is no room is refused before its body is read.

        Raises:
            Loading, Draining, DeviceLost, QueueFull
        """
        async with self.life.working():
            self.admission.require_room()
            with self.scratch.hold() as held:
                yield held

    def stop_flag(self, request_id: str) -> StopFlag:
        """The time that a request has, once it has arrived."""
        return StopFlag(self.settings.request_seconds, request_id)

    async def aside(self, work: Callable[[], T], stop: StopFlag) -> T:
        """The result of something that blocks and takes memory, in one of the few threads for that.

        Raises:
            DeadlineExceeded, and whatever failure of a request the work raises
        """
        return await answer(self._decoders.submit(partial(_alone, work), stop), stop)

    async def transcribe(self, job: Job) -> Done:
        """Decode, wait, transcribe; whoever cancels this stops the engine too."""
        self.admission.require_room()
        return await self.hear(job, self.stop_flag(job.request_id), self.admission.admit)

    async def hear(self, job: Job, stop: StopFlag, admit: Admit) -> Done:
        """The same, within other bounds of time and of room in the queue."""
        begun = time.perf_counter()
        audio = await self.aside(partial(job.decode, stop), stop)
        decoded = time.perf_counter()
        seconds = seconds_of(audio)
        try:
            outcome = await self.inference.run(
                audio, job.options, stop, vad=job.vad, on_segments=job.on_segments, admit=admit
            )
        except DeviceLost as lost:
            self._enter(Phase.FAILED, f"DeviceLost: {lost.message}")
            self._cut_off()
            raise
        self.metrics.transcribed(job.endpoint, seconds, outcome)
        return Done(outcome, seconds, decoded - begun, time.perf_counter() - begun)

    async def drain(self) -> bool:
        """Take nothing new and wait for what is in flight, then answer the rest; whether all of it was finished.

        Jobs end at once: who would ask for their answers is sent to other runtimes from now on.
        """
        self._enter(Phase.DRAINING)
        self._end_jobs()
        finished = await self.life.idle(self.settings.drain_seconds)
        self.life.cut_off()
        return finished

    def close(self) -> None:
        """End the threads and unload the model, in bounded time: see `ended`."""
        within = 0.0 if self.life.failed else _JOIN
        decoders = self._decoders.close(within)
        self.ended = self.inference.close(within) and decoders


def _alone(work: Callable[[], T]) -> T:
    with one_requests_failure("reading the audio"):
        return work()
