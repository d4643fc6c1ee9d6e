"""The shapes of answers that are no Result, for the OpenAPI document; a test holds the answers to them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from whisper_runtime.engine import Device
from whisper_runtime.results import DeviceUse, Result, TokenLogprob
from whisper_runtime.serving.job import State
from whisper_runtime.serving.lifecycle import Phase

Status = Literal["starting", "ok", "degraded", "draining", "failed"]
Seconds = Annotated[float, Field(ge=0)]


class _Shape(BaseModel):
    model_config = ConfigDict(protected_namespaces=())


class ErrorDetail(_Shape):
    """What was wrong, where, and what to do."""

    message: str
    type: Literal["invalid_request_error", "server_error"]
    code: str
    param: str | None


class ErrorBody(_Shape):
    """Every failure's answer."""

    error: ErrorDetail
    request_id: str
    service: str


class JobStatus(_Shape):
    """A job, and its answer once it is done."""

    id: str
    status: State
    request_id: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    progress: Annotated[float, Field(ge=0, le=1)]
    audio_seconds: Seconds | None
    seconds_left: Seconds | None
    degraded: tuple[str, ...]
    error: ErrorDetail | None
    result: Result | None
    """The last field: an answer on disk is put in as it is."""


class Probe(_Shape):
    """A probe's answer."""

    status: Status
    phase: Phase


class HealthModel(_Shape):
    """The model that is served."""

    id: str
    precision: str
    digest: str | None


class Queue(_Shape):
    """What waits."""

    depth: Annotated[int, Field(ge=0)]
    audio_seconds: Seconds
    capacity_seconds: Seconds


class Health(Probe):
    """The runtime in a few words."""

    reason: str | None
    service: str
    model: HealthModel
    device: DeviceUse
    queue: Queue


class Model(_Shape):
    """One model."""

    id: str
    aliases: list[str]
    loaded: bool
    precision: str
    size_bytes: int
    languages: list[str]
    capabilities: list[str]


class Models(_Shape):
    """The models served."""

    models: list[Model]
    default: str


class DeviceInfo(_Shape):
    """The devices, and the one in use."""

    devices: list[Device]
    active: DeviceUse
    fallback_order: list[str]
    power_profile: str | None
    temperature: float | None


class OpenAIModel(_Shape):
    """A model as OpenAI's clients see it."""

    id: str
    object: Literal["model"]
    created: int | None
    owned_by: str


class OpenAIModels(_Shape):
    """OpenAI's list."""

    object: Literal["list"]
    data: list[OpenAIModel]


class Usage(_Shape):
    """What OpenAI bills."""

    type: Literal["duration"]
    seconds: Seconds


class PlainTranscription(_Shape):
    """`response_format=json`."""

    text: str
    usage: Usage
    logprobs: list[TokenLogprob] = []


class OpenAISegment(_Shape):
    """A segment with numbers wherever clients want numbers."""

    id: int
    seek: int
    start: Seconds
    end: Seconds
    text: str
    tokens: list[int]
    temperature: float
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float


class OpenAIWord(_Shape):
    """A word without its space."""

    word: str
    start: Seconds
    end: Seconds


class TextDelta(_Shape):
    """An event: what was heard since the last one."""

    type: Literal["transcript.text.delta"]
    delta: str
    logprobs: list[TokenLogprob] = []


class TextDone(_Shape):
    """The last event: all that was heard."""

    type: Literal["transcript.text.done"]
    text: str
    logprobs: list[TokenLogprob] = []
    degraded: list[str] = []
    """What turned out too late for the header."""


class StreamError(ErrorBody):
    """The last event of a stream that goes wrong."""

    type: Literal["error"]


class VerboseTranscription(_Shape):
    """`response_format=verbose_json`."""

    task: Literal["transcribe", "translate"]
    language: str
    duration: Seconds
    text: str
    usage: Usage
    segments: list[OpenAISegment] = []
    words: list[OpenAIWord] = []
