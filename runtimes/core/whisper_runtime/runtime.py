"""One running service: an engine with its queue, names, life and metrics, and the way a request takes through them.

The endpoints differ in how a request arrives and how its answer looks; what happens between is here.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

from whisper_runtime.engine import Artifact, Engine, Options, Waveform
from whisper_runtime.errors import UnsupportedTask
from whisper_runtime.languages import supported
from whisper_runtime.names import Names
from whisper_runtime.serving.admission import Admission
from whisper_runtime.serving.canary import prove
from whisper_runtime.serving.inference import Inference, Outcome
from whisper_runtime.serving.lifecycle import LifeCycle, Phase
from whisper_runtime.serving.metrics import Metrics
from whisper_runtime.serving.stop import StopFlag
from whisper_runtime.settings import Settings
from whisper_runtime.speech.transcription import seconds_of

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
_DECODERS = 2
"""Files unpacked or decoded at the same time; each may hold `max_audio_seconds` in memory."""


@dataclass(frozen=True, slots=True)
class Job:
    """One file to transcribe. `decode` blocks and gives its waveform."""

    decode: Callable[[], Waveform]
    options: Options
    endpoint: str
    vad: bool = True


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
        self.metrics = Metrics(artifact.model, lambda: engine.info.device.used, self.admission)
        self._decoders = ThreadPoolExecutor(_DECODERS, thread_name_prefix="decode")
        self._decoding = asyncio.Semaphore(_DECODERS)

    @property
    def service(self) -> str:
        """What errors call this service."""
        return f"whisper-{self.engine.info.runtime}"

    async def start(self) -> None:
        """Load and prove the model; ends in Ready or Failed."""
        begun = time.perf_counter()
        try:
            self._enter(Phase.LOADING)
            await self.inference.load(self.artifact)
            self.metrics.loaded(time.perf_counter() - begun)
            self._enter(Phase.WARMING)
            self.metrics.proved(await prove(self.inference, self.artifact))
            self._enter(Phase.READY)
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends in Failed and in the log
            _LOG.exception("the model cannot be served")
            self._enter(Phase.FAILED, f"{type(error).__name__}: {error}")

    def _enter(self, phase: Phase, reason: str | None = None) -> None:
        self.life.enter(phase, reason)
        _LOG.info("life cycle", extra={"phase": str(self.life.phase)})

    def checked(self, options: Options) -> tuple[Options, list[str]]:
        """Options as this engine can honour them, and the names of those that it cannot.

        Raises:
            InvalidRequest, UnsupportedTask: where going on would give nonsense.
        """
        info = self.engine.info
        if options.task == "translate" and "translate" not in info.capabilities:
            raise UnsupportedTask(f"model {self.names.model!r} was not trained to translate", param="task")
        if options.language is not None:
            code = supported(options.language, info.languages, self.names.model)
            options = replace(options, language=code)
        degraded = []
        if options.prompt and "prompt" not in info.capabilities:
            options = replace(options, prompt=None)
            degraded.append("prompt")
        if options.word_timestamps and "words" not in info.capabilities:
            options = replace(options, word_timestamps=False)
            degraded.append("word_timestamps")
        return options, degraded

    @contextmanager
    def working(self) -> Iterator[None]:
        """A request in flight. One for which there is no room is refused before its body is read.

        Raises:
            Loading, Draining, QueueFull
        """
        with self.life.working():
            self.admission.require_room()
            yield

    async def aside(self, work: Callable[[], T]) -> T:
        """The result of something that blocks and takes memory, in one of the few threads for that."""
        async with self._decoding:
            return await asyncio.get_running_loop().run_in_executor(self._decoders, work)

    async def transcribe(self, job: Job) -> Done:
        """Decode, wait, transcribe; whoever cancels this stops the engine too."""
        begun = time.perf_counter()
        stop = StopFlag(self.settings.request_seconds)
        self.admission.require_room()
        audio = await self.aside(job.decode)
        decoded = time.perf_counter()
        seconds = seconds_of(audio)
        outcome = await self.inference.run(audio, job.options, stop, vad=job.vad)
        self.metrics.transcribed(job.endpoint, seconds, outcome)
        return Done(outcome, seconds, decoded - begun, time.perf_counter() - begun)

    async def drain(self) -> bool:
        """Take nothing new and wait for what is in flight; whether all of it was finished."""
        self._enter(Phase.DRAINING)
        return await self.life.idle(self.settings.drain_seconds)

    def close(self) -> None:
        """End the threads and unload the model."""
        self._decoders.shutdown(wait=True, cancel_futures=True)
        self.inference.close()
