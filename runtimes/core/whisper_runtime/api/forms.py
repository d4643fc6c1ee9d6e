"""The options of the transcribing endpoints as types, and the rule for everything else that a request says.

What is known and wrong is refused with the option's name; what is unknown is ignored and named in `degraded`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from whisper_models.catalogue import canonical

from whisper_runtime.api.chunking import ChunkingStrategy
from whisper_runtime.audio.raw import Encoding
from whisper_runtime.engine import SAMPLE_RATE, Options
from whisper_runtime.errors import InvalidRequest, UnsupportedHere
from whisper_runtime.names import OPENAI_NAME
from whisper_runtime.results import Task
from whisper_runtime.speech.spans import DEFAULT, Sensitivity

FORMATS = ("json", "text", "srt", "vtt", "verbose_json")
STREAMED = ("json", "text")
_DIARIZED = "diarized_json"
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.\-\[\]]{1,64}")
_MAX_PROMPT, _MAX_HOTWORDS, _MAX_NAME = 4096, 1024, 256

Temperature = Annotated[float, Field(ge=0, le=1)]
Prompt = Annotated[str, Field(max_length=_MAX_PROMPT)]
Hotwords = Annotated[str, Field(max_length=_MAX_HOTWORDS)]
SampleRate = Annotated[int, Field(ge=1000, le=768_000)]
Name = Annotated[str, Field(min_length=1, max_length=_MAX_NAME)]
F = TypeVar("F", bound="Form")


class Form(BaseModel):
    """What all of them understand."""

    model_config = ConfigDict(frozen=True, extra="allow", protected_namespaces=(), allow_inf_nan=False)
    CALLED: ClassVar[Mapping[str, str]] = {}
    """The engine's option → what this form calls it."""

    model: str | None = None
    language: str | None = None

    @property
    def asked(self) -> str | None:
        """The model asked for."""
        return self.model

    @property
    def speech(self) -> Sensitivity | None:
        """What counts as speech; None to have silence heard as well."""
        return DEFAULT

    def unknown(self) -> list[str]:
        """Names of what was sent and is not known, fit for a header."""
        return unknown_names(self)


class TwoNames(Form):
    """Our own endpoints: the model goes by either of two names."""

    model_name: str | None = None

    @property
    def asked(self) -> str | None:
        """The model asked for, by either name."""
        return self.model or self.model_name

    def refuse_contradiction(self) -> None:
        """Two names for the model are fine; two models are not, since either choice would be wrong for somebody."""
        asked = {canonical(name) for name in (self.model, self.model_name) if name} - {OPENAI_NAME}
        if len(asked) > 1:
            message = f"model is {self.model!r} and model_name is {self.model_name!r}: send one of the two"
            raise InvalidRequest(message, param="model")


class FileForm(TwoNames):
    """`POST /transcribe` and `/batch/process` with a file, which says itself what it holds."""

    prompt: Prompt | None = None
    temperature: Temperature = 0.0
    task: Task = "transcribe"
    hotwords: Hotwords | None = None
    word_timestamps: bool = False
    vad: bool = True
    device: str | None = None

    @property
    def speech(self) -> Sensitivity | None:
        """As `vad` says."""
        return DEFAULT if self.vad else None

    def options(self) -> Options:
        """What the engine is asked for."""
        return Options(
            task=self.task,
            language=self.language or None,
            prompt=self.prompt,
            hotwords=self.hotwords,
            temperature=self.temperature,
            word_timestamps=self.word_timestamps,
        )


class TranscribeForm(FileForm):
    """`POST /transcribe` in JSON."""

    audio_data: str | None = None
    sample_rate: SampleRate = SAMPLE_RATE
    encoding: Encoding = "container"


class OpenAIForm(Form):
    """`POST /v1/audio/transcriptions` and `/v1/audio/translations`."""

    CALLED = {"hotwords": "keywords", "word_timestamps": "timestamp_granularities", "logprobs": "include"}

    prompt: Prompt | None = None
    temperature: Temperature = 0.0
    response_format: str = "json"
    timestamp_granularities: tuple[Literal["word", "segment"], ...] = ()
    include: tuple[Literal["logprobs"], ...] = ()
    keywords: tuple[str, ...] = ()
    chunking_strategy: ChunkingStrategy = None
    """Voice detection chooses what is heard together, always."""
    stream: bool = False

    def options(self, task: Task) -> Options:
        """What the engine is asked for."""
        return Options(
            task=task,
            language=self.language,
            prompt=self.prompt,
            hotwords=", ".join(self.keywords) or None,
            temperature=self.temperature,
            word_timestamps="word" in self.timestamp_granularities,
            logprobs="logprobs" in self.include,
        )

    @property
    def speech(self) -> Sensitivity | None:
        """As the strategy says."""
        return self.chunking_strategy.sensitivity() if self.chunking_strategy else DEFAULT

    def unknown(self) -> list[str]:
        """Also those inside the strategy."""
        inside = unknown_names(self.chunking_strategy) if self.chunking_strategy else []
        return [*super().unknown(), *(f"chunking_strategy.{name}" for name in inside)]

    def refuse_unsupported(self) -> None:
        """Combinations that have no answer.

        Raises:
            InvalidRequest, UnsupportedHere
        """
        chosen = self.response_format
        if chosen == _DIARIZED:
            message = f"response_format={_DIARIZED} needs a runtime that tells speakers apart, which this one does not"
            raise UnsupportedHere(message, param="response_format")
        if chosen not in FORMATS:
            message = f"response_format {chosen!r} is not one of {', '.join(FORMATS)}"
            raise InvalidRequest(message, param="response_format")
        if self.stream and chosen not in STREAMED:
            message = f"stream=true sends text, so that response_format is one of {', '.join(STREAMED)}, not {chosen}"
            raise InvalidRequest(message, param="response_format")
        if self.timestamp_granularities and chosen != "verbose_json":
            message = "timestamp_granularities needs response_format=verbose_json"
            raise InvalidRequest(message, param="timestamp_granularities")
        if self.include and chosen != "json":
            raise InvalidRequest("include[]=logprobs needs response_format=json", param="include")
        if sum(map(len, self.keywords)) > _MAX_HOTWORDS:
            raise InvalidRequest(f"keywords: at most {_MAX_HOTWORDS} characters together", param="keywords")


class ChunkMetadata(BaseModel):
    """What the caller knows of a chunk; times are seconds of the stream that it was cut from."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    sample_rate: SampleRate | None = None
    encoding: Encoding | None = None
    sequence_number: Annotated[int, Field(ge=0, le=2**53)] | None = None
    start_time: Annotated[float, Field(ge=0)] | None = None
    end_time: Annotated[float, Field(ge=0)] | None = None
    duration: Annotated[float, Field(ge=0)] | None = None
    enable_vad: bool | None = None
    timestamp_mode: Literal["word", "segment", "none"] | None = None


class ChunkForm(TwoNames):
    """`POST /api/process-chunk`."""

    CALLED = {"word_timestamps": "chunk_metadata.timestamp_mode"}

    chunk_id: Name
    session_id: Name
    audio_data: str | None = None
    sample_rate: SampleRate | None = None
    chunk_metadata: ChunkMetadata = ChunkMetadata()

    @property
    def rate(self) -> int:
        """Of bare samples."""
        return self.sample_rate or self.chunk_metadata.sample_rate or SAMPLE_RATE

    @property
    def speech(self) -> Sensitivity | None:
        """As `enable_vad` says."""
        return None if self.chunk_metadata.enable_vad is False else DEFAULT

    def options(self) -> Options:
        """What the engine is asked for."""
        return Options(language=self.language or None, word_timestamps=self.chunk_metadata.timestamp_mode == "word")

    def unknown(self) -> list[str]:
        """Also those inside the metadata."""
        inside = (f"chunk_metadata.{name}" for name in unknown_names(self.chunk_metadata))
        return [*super().unknown(), *inside]

    def refuse_contradiction(self) -> None:
        """Neither two models nor two rates."""
        super().refuse_contradiction()
        outer, inner = self.sample_rate, self.chunk_metadata.sample_rate
        if outer and inner and outer != inner:
            message = f"sample_rate is {outer}, and {inner} in chunk_metadata: send one of the two"
            raise InvalidRequest(message, param="sample_rate")


def unknown_names(form: BaseModel) -> list[str]:
    """Names of what was sent and is not known, fit for a header."""
    return sorted({name if _PLAIN_NAME.fullmatch(name) else "unknown" for name in form.model_extra or {}})


def parse(kind: type[F], fields: Iterable[tuple[str, Any]], lists: Mapping[str, str] | None = None) -> F:
    """A form from fields that are text; empty ones count as absent. `lists`: repeatable names → the field they fill.

    Raises:
        InvalidRequest: naming the first option that is wrong.
    """
    values: dict[str, Any] = {}
    for name, value in fields:
        if value == "":
            continue
        if lists and name in lists:
            values.setdefault(lists[name], []).extend(value if isinstance(value, list) else [value])
        else:
            values[name] = value
    return _validated(kind, values, strict=False)


def parse_json(kind: type[F], body: Mapping[str, Any]) -> F:
    """A form from JSON, whose values have the type that they are meant to have; null counts as absent.

    Raises:
        InvalidRequest: naming the first option that is wrong.
    """
    return _validated(kind, {name: value for name, value in body.items() if value is not None}, strict=True)


def _validated(kind: type[F], values: dict[str, Any], *, strict: bool) -> F:
    try:
        return kind.model_validate(values, strict=strict)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        param = ".".join(str(part) for part in first["loc"] if isinstance(part, str))
        raise InvalidRequest(f"{param}: {first['msg']}", param=param) from error
