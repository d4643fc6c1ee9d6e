"""A runtime's settings: every one a flag with an environment variable as fallback, read once, then frozen.

The fields are the single list: flags, variables and help come from it. Nothing below sees the environment.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from whisper_models.store.home import DEFAULT

PREFIX = "WHISPER_"

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


def _at_home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:  # a user without a home, as containers have
        raise ValueError(f"{error}: name a folder in full") from error


class Settings(BaseModel):
    """What `serve` is told. A runtime gives its own defaults for `port`, `precision` and `threads`."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    models: Annotated[Path, AfterValidator(_at_home)] = Field(
        Path(DEFAULT), validate_default=True, description="folder of the model store"
    )
    model: str = Field("base", min_length=1, description="the model to serve, as the store calls it")
    precision: str = Field("int8", min_length=1, description="the precision of the variant to serve")
    allow_unverified: bool = Field(
        False, description="serve a variant although its recorded validation is below the threshold"
    )
    served_model_name: tuple[str, ...] = Field(
        (), description="another name that requests may ask for; repeatable, or separated by commas in the variable"
    )
    host: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0 in a pod")
    port: int = Field(5004, ge=0, le=65535, description="port to listen on; 0 for any free one")
    threads: Count = Field(1, description="threads of inference; the container's CPU limit unless told otherwise")
    workers: Count = Field(1, description="requests transcribed at the same time, on the same threads")
    max_upload_bytes: Count = Field(64 * 1024 * 1024, description="largest upload on /transcribe, in bytes")
    openai_upload_bytes: Count = Field(
        25_000_000, description="largest upload on /v1, in bytes; unless given, not above max-upload-bytes either"
    )
    max_chunk_bytes: Count = Field(10_000_000, description="largest chunk on /api/process-chunk, in bytes of audio")
    max_audio_seconds: Positive = Field(7200.0, description="longest audio of one request, checked while decoding")
    max_queue_seconds: Positive = Field(600.0, description="seconds of audio that may wait; beyond it 503 queue_full")
    request_seconds: Positive = Field(900.0, description="longest that a request may take before 504")
    upload_idle_seconds: Positive = Field(30.0, description="longest pause in an upload before 408")
    hung_seconds: Positive = Field(
        120.0, description="longest that work may make no progress before this process ends itself"
    )
    load_seconds: Positive = Field(540.0, description="longest that verifying and loading the model may take")
    max_spool_bytes: Count = Field(
        1 << 30, description="bytes of uploads and decoded audio held at once, mostly on disk; beyond it 503 queue_full"
    )
    max_batch_bytes: Count = Field(512_000_000, description="largest upload on /batch/process, in bytes")
    max_batch_audio_seconds: Positive = Field(14_400.0, description="longest audio of one job on /batch/process")
    max_batch_queue_seconds: Positive = Field(
        43_200.0, description="seconds of audio that may wait in jobs; beyond it 503 queue_full"
    )
    max_batch_spool_bytes: Count = Field(
        3 << 29, description="bytes of uploads held for jobs, mostly on disk; beyond it 503 queue_full"
    )
    batch_seconds: Positive = Field(86_400.0, description="longest that a job may take, from its arrival to its end")
    batch_keep_seconds: Positive = Field(3_600.0, description="how long the answer of a job is kept after its end")
    termination_log: Path = Field(
        Path("/dev/termination-log"), description="file for the reason of a bad end, if it exists"
    )
    drain_seconds: Positive = Field(60.0, description="longest that SIGTERM waits for requests in flight")

    @property
    def openai_limit(self) -> int:
        """The bytes allowed on /v1: what was asked for, else the default, which a lower general limit lowers."""
        if "openai_upload_bytes" in self.model_fields_set:
            return self.openai_upload_bytes
        return min(self.openai_upload_bytes, self.max_upload_bytes)


S = TypeVar("S", bound=Settings)


def add_flags(
    parser: argparse.ArgumentParser,
    kind: type[Settings],
    defaults: Mapping[str, Any],
    only: Sequence[str] | None = None,
) -> None:
    """One flag for each setting, or for some."""
    for name in only or kind.model_fields:
        info = kind.model_fields[name]
        default = defaults.get(name, info.default)
        shown = "" if default in (None, (), False) else f" (default {default})"
        about = f"{info.description}{shown} [${PREFIX}{name.upper()}]"
        if info.annotation is bool:
            parser.add_argument(_flag(name), dest=name, action="store_const", const=True, help=about)
            continue
        many = get_origin(info.annotation) is tuple
        parser.add_argument(
            _flag(name),
            dest=name,
            action="append" if many else "store",
            metavar=name.rpartition("_")[2].upper(),
            help=about,
        )


def read_settings(
    flags: argparse.Namespace, kind: type[S], environment: Mapping[str, str], defaults: Mapping[str, Any]
) -> S:
    """Flags before variables before defaults.

    Raises:
        ValueError: a sentence naming the flag that is wrong.
    """
    values = dict(defaults)
    for name, info in kind.model_fields.items():
        given: Any = getattr(flags, name, None)
        if given is None and (text := environment.get(f"{PREFIX}{name.upper()}")):
            given = _listed(text) if get_origin(info.annotation) is tuple else text
        if given is not None:
            values[name] = given
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        problems = (f"{_flag(str(e['loc'][0]))}: {e['msg']}, not {e['input']!r}" for e in error.errors())
        raise ValueError("; ".join(problems)) from error


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _listed(text: str) -> Sequence[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
