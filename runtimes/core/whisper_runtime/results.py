"""The contract's answer: what every transcribing endpoint returns, in the order and with the names clients rely on.

Times are seconds. What is not known is None, never 0 or a made-up constant.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Task = Literal["transcribe", "translate"]


class Timing(StrEnum):
    """How a word's times were found."""

    DTW = "dtw"  # along the decoder's own attention
    ALIGNED = "aligned"  # by an acoustic alignment model
    INTERPOLATED = "interpolated"  # spread over its segment


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Word(_Frozen):
    """One word; `word` keeps its leading space where the language has one."""

    word: str
    start: float
    end: float
    probability: float | None = None
    speaker: str | None = None
    timing: Timing


class TokenLogprob(_Frozen):
    """A piece of the text with the logarithm of its probability; one character may take several pieces."""

    token: str
    logprob: float
    bytes: tuple[int, ...]


class Segment(_Frozen):
    """What was said between two timestamps of the model."""

    id: int
    start: float
    end: float
    text: str
    avg_logprob: float | None = None
    no_speech_prob: float | None = None
    compression_ratio: float | None = None
    temperature: float = 0.0
    seek: int = 0
    tokens: tuple[int, ...] = ()
    speaker: str | None = None
    words: tuple[Word, ...] | None = None
    logprobs: tuple[TokenLogprob, ...] | None = Field(None, exclude=True)
    """Of the text's tokens, if asked for. Not a part of our answer; OpenAI's has it."""


class DeviceUse(_Frozen):
    """The device asked for, the one used, and why they differ if they do."""

    requested: str
    used: str
    fallback_reason: str | None = None


class Timings(_Frozen):
    """Where the seconds of one request went; None for a step that did not run."""

    queue: float | None = None
    decode: float | None = None
    vad: float | None = None
    inference: float | None = None
    align: float | None = None
    diarize: float | None = None


class Result(_Frozen):
    """One transcribed file."""

    request_id: str
    task: Task
    text: str
    language: str | None
    language_probability: float | None
    duration: float
    segments: tuple[Segment, ...]
    words: tuple[Word, ...] | None
    confidence: float | None
    model: str
    device: DeviceUse
    engine: str
    processing_time: float
    timings: Timings
    degraded: tuple[str, ...] = ()
