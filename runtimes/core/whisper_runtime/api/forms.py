"""The options of both transcribing endpoints as types, and the rule for everything else that a request says.

What is known and wrong is refused with the option's name; what is unknown is ignored and named in `degraded`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from whisper_models.catalogue import canonical

from whisper_runtime.audio.raw import Encoding
from whisper_runtime.engine import SAMPLE_RATE, Options
from whisper_runtime.errors import InvalidRequest
from whisper_runtime.results import Task

FORMATS = ("json", "text", "srt", "vtt", "verbose_json")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.\-\[\]]{1,64}")
_MAX_PROMPT = 4096

Temperature = Annotated[float, Field(ge=0, le=1)]
Prompt = Annotated[str, Field(max_length=_MAX_PROMPT)]
F = TypeVar("F", bound="Form")


class Form(BaseModel):
    """What both endpoints understand."""

    model_config = ConfigDict(frozen=True, extra="allow", protected_namespaces=(), allow_inf_nan=False)

    model: str | None = None
    language: str | None = None
    prompt: Prompt | None = None
    temperature: Temperature = 0.0

    @property
    def asked(self) -> str | None:
        """The model asked for."""
        return self.model

    def unknown(self) -> list[str]:
        """Names of what was sent and is not known, fit for a header."""
        return sorted({name if _PLAIN_NAME.fullmatch(name) else "unknown" for name in self.model_extra or {}})


class TranscribeForm(Form):
    """`POST /transcribe`."""

    model_name: str | None = None
    task: Task = "transcribe"
    hotwords: str | None = None
    word_timestamps: bool = False
    vad: bool = True
    device: str | None = None
    audio_data: str | None = None
    sample_rate: Annotated[int, Field(ge=1000, le=768_000)] = SAMPLE_RATE
    encoding: Encoding = "container"

    @property
    def asked(self) -> str | None:
        """The model asked for, by either name."""
        return self.model or self.model_name

    def refuse_contradiction(self) -> None:
        """Two names for the model are fine; two models are not, since either choice would be wrong for somebody."""
        if self.model and self.model_name and canonical(self.model) != canonical(self.model_name):
            message = f"model is {self.model!r} and model_name is {self.model_name!r}: send one of the two"
            raise InvalidRequest(message, param="model")

    def options(self) -> Options:
        """What the engine is asked for."""
        return Options(self.task, self.language, self.prompt, self.temperature, self.word_timestamps)


class OpenAIForm(Form):
    """`POST /v1/audio/transcriptions` and `/v1/audio/translations`."""

    response_format: str = "json"
    timestamp_granularities: tuple[Literal["word", "segment"], ...] = ()
    stream: bool = False

    def options(self, task: Task) -> Options:
        """What the engine is asked for."""
        return Options(task, self.language, self.prompt, self.temperature, "word" in self.timestamp_granularities)

    def refuse_unsupported(self) -> None:
        """Combinations that have no answer."""
        if self.stream:
            raise InvalidRequest("stream=true is not supported here yet: send the request without it", param="stream")
        if self.response_format not in FORMATS:
            known = ", ".join(FORMATS)
            message = f"response_format {self.response_format!r} is not one of {known}"
            raise InvalidRequest(message, param="response_format")
        if self.timestamp_granularities and self.response_format != "verbose_json":
            message = "timestamp_granularities needs response_format=verbose_json"
            raise InvalidRequest(message, param="timestamp_granularities")


def parse(kind: type[F], fields: Iterable[tuple[str, Any]], lists: Mapping[str, str] | None = None) -> F:
    """A form from its fields; empty ones count as absent. `lists` maps repeatable names to the field they fill.

    Raises:
        InvalidRequest: naming the first option that is wrong.
    """
    values: dict[str, Any] = {}
    for name, value in fields:
        if value in ("", None):
            continue
        if lists and name in lists:
            values.setdefault(lists[name], []).extend(value if isinstance(value, list) else [value])
        else:
            values[name] = value
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        param = str(first["loc"][0])
        raise InvalidRequest(f"{param}: {first['msg']}", param=param) from error
