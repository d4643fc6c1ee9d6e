"""The npu engine: the best device that works, the next one when it fails at work, and back when it has recovered."""

from __future__ import annotations

import importlib.metadata
import json
import logging
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from whisper_runtime import capabilities
from whisper_runtime.engine import Artifact, EngineInfo, Options, Stop, Transcript, Waveform, never
from whisper_runtime.errors import DeviceLost
from whisper_runtime.results import DeviceUse

from whisper_npu.engine.choice import Chooser, NoDevice, Refusal, decoding_on
from whisper_npu.engine.crew import Crew
from whisper_npu.engine.devices import DeviceFailure, Devices, Pipeline, Reason
from whisper_npu.engine.messages import Wish
from whisper_npu.engine.returning import Returning
from whisper_npu.engine.standing import NO_DEVICE, Standing

if TYPE_CHECKING:
    from whisper_npu.settings import NpuSettings

_LOG = logging.getLogger(__name__)
_WORDS = frozenset({"words"})
_OF_OUR_LOOP = frozenset({"prompt", "hotwords", "logprobs"})
"""What OpenVINO GenAI, which has to decode on an NPU, does not offer there."""
_TRIES = 2
"""Pipelines of a device that works, after which the request that broke them is to blame."""
_LOOK = 0.1
_SOON = 2.0


class NpuEngine:
    """Whisper by OpenVINO."""

    def __init__(self, settings: NpuSettings, devices: Devices) -> None:
        self._settings, self._devices = settings, devices
        self._standing = Standing(settings.device_order)
        self._chooser: Chooser | None = None
        self._crew: Crew | None = None
        self._of_model: frozenset[str] = frozenset()
        self._changing = threading.Lock()
        self._returning = Returning(self._try_better, self._could_be_better, settings.device_retry_seconds)
        self.info = EngineInfo(
            runtime="npu",
            engine=_version("openvino"),
            device=DeviceUse(requested=settings.device_order[0], used=NO_DEVICE),
            workers=settings.workers,
        )

    def load(self, artifact: Artifact) -> None:
        """Read what the model is; what takes time is in `compile`."""
        generation: dict[str, Any] = json.loads((artifact.path / "generation_config.json").read_text())
        languages = tuple(tag.strip("<|>") for tag in generation.get("lang_to_id", {}))
        self._of_model = capabilities.of_model(artifact.model, multilingual=bool(languages))
        self._chooser = Chooser(self._devices, artifact, self._settings)
        self.info = replace(self.info, languages=languages or ("en",))

    def compile(self) -> None:
        """Open the first device that works.

        Raises:
            DeviceLost: none does
        """
        with self._changing:
            self._fall(self._standing.order, (), self._returning.unless_closed)

    def transcribe(self, audio: Waveform, options: Options, stop: Stop = never) -> Transcript:
        """Hear a waveform; on another device where the one in use fails."""
        broken = Counter[Crew]()
        while True:
            crew = self._serving()
            pipeline = crew.take(stop)
            if pipeline is None:  # another device has taken over meanwhile
                continue
            try:
                return self._hear(crew, pipeline, audio, options, stop)
            except DeviceFailure as failure:
                self._mend(crew, failure, _beating(stop))
                broken[crew] += 1
                if failure.out_of_memory:
                    raise MemoryError(failure.message) from failure
                if broken[crew] == _TRIES and self._crew is crew:
                    raise RuntimeError(failure.message) from failure

    def close(self) -> None:
        """End every process."""
        self._returning.close(_SOON)
        if self._crew is not None:
            self._crew.retire()

    def _serving(self) -> Crew:
        crew = self._crew
        if crew is None:
            raise DeviceLost(self._standing.reasons, retry_after=_SOON)
        return crew

    def _hear(self, crew: Crew, pipeline: Pipeline, audio: Waveform, options: Options, stop: Stop) -> Transcript:
        """What one pipeline makes of it; a broken one is closed, any other one goes back."""
        use, (options, degraded) = self._standing.use(crew), _honoured(options, crew)
        try:
            heard = crew.hear(pipeline, Wish(audio, options), stop)
        except DeviceFailure:
            pipeline.close()
            raise
        except BaseException:
            crew.add(pipeline)
            raise
        crew.add(pipeline)
        return replace(heard, device=use, degraded=degraded)

    def _mend(self, crew: Crew, failure: DeviceFailure, stop: Stop) -> None:
        """A fresh pipeline on the same device, or the next device that works.

        Raises:
            DeviceLost: none does
        """
        with self._alone(stop):
            if self._crew is not crew or self._chooser is None:
                return
            refusal = Refusal(crew.wanted, failure.reason, failure.message)
            if failure.reason is not Reason.HUNG:
                try:
                    crew.add(self._chooser.reopen(crew.device, stop))
                except DeviceFailure as again:
                    refusal = Refusal(crew.wanted, Reason.LOST, f"{failure.message}, then {again.message}")
                else:
                    _LOG.warning("a pipeline on %s broke and was opened anew: %s", crew.device.name, failure.message)
                    return
            _LOG.error("device %s failed at work (%s): %s", crew.device.name, refusal.reason, refusal.message)
            self._fall(self._standing.worse(crew), (refusal,), stop)

    @contextmanager
    def _alone(self, stop: Stop) -> Iterator[None]:
        """One change at a time; who waits for it asks whether to go on waiting."""
        while not self._changing.acquire(timeout=_LOOK):
            stop()
        try:
            yield
        finally:
            self._changing.release()

    def _fall(self, wanted: tuple[str, ...], refusals: tuple[Refusal, ...], stop: Stop) -> None:
        """Serve from the first of the devices that works, after these."""
        if self._chooser is None:
            raise RuntimeError("compile comes after load")
        try:
            choice = self._chooser.choose(wanted, stop)
        except NoDevice as none:
            self._standing.fell((*refusals, *none.refusals), None)
            self._change(None)
            raise DeviceLost(self._standing.reasons, retry_after=_SOON) from none
        self._standing.fell((*refusals, *choice.refusals), choice.crew)
        self._change(choice.crew)
        if self._could_be_better():
            self._returning.begin()

    def _change(self, new: Crew | None) -> None:
        """Serve from other pipelines from now on; requests at work end where they are."""
        old, self._crew = self._crew, new
        if new is not None:
            self._standing.serves(new)
            _LOG.info("device %s serves (compiled model: %s)", new.device.name, new.source)
        self._describe()
        if old is not None:
            old.retire()

    def _describe(self) -> None:
        crew, standing = self._crew, self._standing
        loop = _OF_OUR_LOOP if crew is not None and _in_our_loop(crew) else frozenset()
        self.info = replace(
            self.info,
            engine=_version("openvino" if crew is None or _in_our_loop(crew) else "openvino-genai"),
            device=standing.use(crew),
            capabilities=self._of_model | _WORDS | loop,
            devices=standing.devices(crew, self._chooser.survey) if self._chooser else (),
            fallbacks=dict(standing.fallbacks),
            compile_cache=str(crew.source) if crew else "none",
        )

    def _could_be_better(self) -> bool:
        return self._crew is not None and bool(self._standing.better(self._crew))

    def _try_better(self) -> bool:
        """Whether a better device has taken over. Requests go on meanwhile where they are."""
        crew, chooser, stop = self._crew, self._chooser, self._returning.unless_closed
        if crew is None or chooser is None:
            return False
        try:
            choice = chooser.choose(self._standing.better(crew), stop)
        except NoDevice as none:
            with self._alone(stop):
                self._standing.learn(none.refusals)
                self._describe()
            return False
        with self._alone(stop):
            if self._crew is None:  # the last device was lost meanwhile, and the runtime is ending
                choice.crew.retire()
                return False
            self._standing.learn(choice.refusals)
            self._change(choice.crew)
            return True


def _version(library: str) -> str:
    return f"{library} {importlib.metadata.version(library)}"


def _in_our_loop(crew: Crew) -> bool:
    return decoding_on(crew.device.name) == "graphs"


def _honoured(options: Options, crew: Crew) -> tuple[Options, tuple[str, ...]]:
    """Options as this device can honour them: it may not be the one that was in use when the request was taken."""
    if _in_our_loop(crew):
        return options, ()
    unmet = tuple(name for name in sorted(_OF_OUR_LOOP) if getattr(options, name))
    return replace(options, prompt=None, hotwords=None, logprobs=False), unmet


def _beating(stop: Stop) -> Stop:
    """A stop that shows progress but ends nothing: what one request has begun, the others wait for as well."""

    def beat() -> None:
        with suppress(Exception):
            stop()

    return beat
