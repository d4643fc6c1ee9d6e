"""OpenAI's `chunking_strategy`: `auto`, or how its voice detection is to be set, by which ours can be set too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from whisper_runtime.speech.spans import DEFAULT, Sensitivity

_NAME = "chunking_strategy"
_INSIDE = re.compile(rf"{_NAME}\[([^\[\]]+)\]")
_EXAMPLE = '{"type": "server_vad", "threshold": 0.5}'
_LEAST_OFFSET = 0.01
"""The network is never surer of silence than that."""

Milliseconds = Annotated[int, Field(ge=0, le=30_000)]


class ServerVad(BaseModel):
    """When speech begins and ends, in OpenAI's words; what is absent is as we have it."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    type: Literal["server_vad"]
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    prefix_padding_ms: Milliseconds | None = None
    silence_duration_ms: Milliseconds | None = None

    def sensitivity(self) -> Sensitivity:
        """In our own words. A voice ends as far below its threshold as it does by default."""
        how = DEFAULT
        if self.threshold is not None:
            offset = max(_LEAST_OFFSET, self.threshold - (DEFAULT.onset - DEFAULT.offset))
            how = replace(how, onset=self.threshold, offset=offset)
        if self.prefix_padding_ms is not None:
            how = replace(how, before_seconds=self.prefix_padding_ms / 1000)
        if self.silence_duration_ms is not None:
            how = replace(how, min_silence_seconds=self.silence_duration_ms / 1000)
        return how


def _read(value: Any) -> Any:
    """`auto` is what happens anyway; an object may come as it is, or as JSON in a string."""
    if value == "auto":
        return None
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, dict):
        raise ValueError(f"send auto, or an object such as {_EXAMPLE}")  # noqa: TRY004 - pydantic wants this one
    return value


ChunkingStrategy = Annotated[
    ServerVad | None,
    BeforeValidator(_read),
    WithJsonSchema({"type": "string", "description": "`auto`, or an object in JSON.", "examples": ["auto", _EXAMPLE]}),
]


def gathered(fields: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """OpenAI's own clients send an object as a field for each of its entries: `chunking_strategy[type]` and so on."""
    inside: dict[str, Any] = {}
    others = []
    for name, value in fields:
        if entry := _INSIDE.fullmatch(name):
            inside |= {entry[1]: value} if value != "" else {}
        else:
            others.append((name, value))
    return [*others, (_NAME, inside)] if inside else others
