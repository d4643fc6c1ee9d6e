"""Chooses a device: by compiling for each in turn, and listening to what comes out. One that only exists is no use.

OpenVINO's own AUTO is not asked: it hides which device serves, and fails where one driver is missing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from whisper_runtime.engine import Options
from whisper_runtime.serving.canary import FIRST, SECOND, clip

from whisper_npu.engine.blobs import BlobCache, Source, entry_name
from whisper_npu.engine.crew import Crew
from whisper_npu.engine.devices import DeviceFailure, Reason
from whisper_npu.engine.messages import Decoding, FoundDevice, Opening, Survey, Wish

if TYPE_CHECKING:
    from whisper_runtime.engine import Artifact, Stop

    from whisper_npu.engine.devices import Devices, Pipeline
    from whisper_npu.settings import NpuSettings

_LOG = logging.getLogger(__name__)
_SURVEY_SECONDS = 60.0
_QUICK = frozenset({"CPU"})
"""Compiles in seconds; and OpenVINO 2026.4 cannot read back the stateful decoder that it has written for it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A device that was wanted, and why it does not serve."""

    device: str
    reason: Reason
    message: str

    def __str__(self) -> str:
        return f"{self.device}: {self.message}"


@dataclass(frozen=True, slots=True)
class Choice:
    """The crew that serves, and what was tried before it."""

    crew: Crew
    refusals: tuple[Refusal, ...]


class NoDevice(Exception):  # noqa: N818 - what is left after all refusals
    """None of the devices serves."""

    def __init__(self, refusals: tuple[Refusal, ...]) -> None:
        super().__init__("; ".join(map(str, refusals)))
        self.refusals = refusals


def properties(device: str, settings: NpuSettings) -> dict[str, Any]:
    """What OpenVINO is told for a device, the same for every start, since compiled models are kept by it."""
    match _kind(device):
        case "NPU":
            # Not static, it answers with the audio of the request before on this device (openvino#37937).
            return {"word_timestamps": True, "STATIC_PIPELINE": True}
        case "CPU":
            told: dict[str, Any] = {"INFERENCE_NUM_THREADS": max(1, settings.threads // settings.workers)}
            if settings.inference_precision == "f32":
                # What was said is kept as it is rather than in 8 bits, so that nothing changes when the loop goes back.
                told |= {"INFERENCE_PRECISION_HINT": "f32", "KV_CACHE_PRECISION": "f32"}
            return told
        case _:
            return {}


def decoding_on(device: str) -> Decoding:
    """What decodes on a device: on an NPU OpenVINO GenAI has to."""
    return "genai" if _kind(device) == "NPU" else "graphs"


def _kind(device: str) -> str:
    """GPU of GPU.1."""
    return device.partition(".")[0]


class Chooser:
    """Opens devices for one model."""

    def __init__(self, devices: Devices, artifact: Artifact, settings: NpuSettings) -> None:
        self._devices, self._artifact, self._settings = devices, artifact, settings
        cache = settings.compile_cache
        self._cache = None if cache is None else BlobCache(cache, settings.compile_cache_bytes)
        self.survey = Survey((), "")
        """As of the last time that devices were looked for."""
        self._unseen: str | None = None

    def choose(self, wanted: Iterable[str], stop: Stop) -> Choice:
        """The first of the devices that works.

        Raises:
            NoDevice, and what `stop` raises
        """
        refusals: list[Refusal] = []
        self._look(stop)
        for name in wanted:
            try:
                return Choice(self._open(name, stop), tuple(refusals))
            except DeviceFailure as failure:
                refusals.append(Refusal(name, failure.reason, failure.message))
                _LOG.warning("device %s cannot be used (%s): %s", name, failure.reason, failure.message)
        raise NoDevice(tuple(refusals))

    def _look(self, stop: Stop) -> None:
        self._unseen = None
        try:
            self.survey = self._devices.survey(stop, _SURVEY_SECONDS)
        except DeviceFailure as failure:
            self.survey, self._unseen = Survey((), ""), failure.message

    def _open(self, wanted: str, stop: Stop) -> Crew:
        device = self.survey.find(wanted)
        if device is None:
            raise DeviceFailure(Reason.NOT_FOUND, self._without(wanted))
        pipelines: list[Pipeline] = []
        try:
            source = Source.NONE
            for number in range(self._settings.workers):
                opened, came_from = self._pipeline(device, stop)
                pipelines.append(opened)
                source = source if number else came_from
            crew = Crew(wanted, device, source, self._settings.hung_seconds)
            self._require_isolation(pipelines[0], stop)
        except BaseException:
            for pipeline in pipelines:
                pipeline.close()
            raise
        for pipeline in pipelines:
            crew.add(pipeline)
        return crew

    def _without(self, wanted: str) -> str:
        if self._unseen is not None:
            return f"OpenVINO could not look for devices: {self._unseen}"
        there = ", ".join(found.name for found in self.survey.devices) or "nothing"
        return f"OpenVINO finds {there} here: is the driver of {wanted} installed?"

    def reopen(self, device: FoundDevice, stop: Stop) -> Pipeline:
        """Another pipeline on a device where one broke, if the device still works.

        Raises:
            DeviceFailure, and what `stop` raises
        """
        pipeline, _ = self._pipeline(device, stop)
        try:
            self._say(pipeline, FIRST.name, stop)
        except BaseException:
            pipeline.close()
            raise
        return pipeline

    def _pipeline(self, device: FoundDevice, stop: Stop) -> tuple[Pipeline, Source]:
        told = properties(device.name, self._settings)
        if self._cache is None or _kind(device.name) in _QUICK:
            return self._compile(device, told, stop), Source.NONE
        name = entry_name(device, self.survey.version, self._artifact.digest, told)
        with self._cache.opening(name) as blobs:
            kept = {} if blobs.folder is None else {"CACHE_DIR": str(blobs.folder)}
            pipeline = self._compile(device, told | kept, stop)
        return pipeline, blobs.source

    def _compile(self, device: FoundDevice, told: Mapping[str, Any], stop: Stop) -> Pipeline:
        path, context = self._artifact.path, self._settings.context
        opening = Opening(path, device.name, dict(told), context, decoding_on(device.name))
        return self._devices.open(opening, stop, self._settings.compile_seconds)

    def _require_isolation(self, pipeline: Pipeline, stop: Stop) -> None:
        """A clip, another one, and the first again: an answer that has changed holds something of the other's audio."""
        before = self._say(pipeline, FIRST.name, stop)
        self._say(pipeline, SECOND.name, stop)
        after = self._say(pipeline, FIRST.name, stop)
        if before != after:
            message = f"{FIRST.name} gave different answers before and after {SECOND.name}: requests mix"
            raise DeviceFailure(Reason.CHECK_FAILED, message)

    def _say(self, pipeline: Pipeline, name: str, stop: Stop) -> str:
        try:
            wish = Wish(clip(FIRST.with_name(name)), Options())
            heard = pipeline.hear(wish, stop, self._settings.compile_seconds)
        except DeviceFailure as failure:
            raise DeviceFailure(Reason.CHECK_FAILED, failure.message, out_of_memory=failure.out_of_memory) from failure
        return "".join(segment.text for segment in heard.segments)
