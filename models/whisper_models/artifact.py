"""What a model on disk is, in words that the operator, the runtimes and the Jobs share.

Types only: where files lie is the store's knowledge, how they come there is that of `download` and `convert`.
Imports nothing beyond pydantic, because the operator reads these types without having any of the tools.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

SCHEMA_VERSION = 1
THRESHOLD = 0.95
"""The similarity to FP32 that is asked of a variant unless told otherwise, on a laptop and in a cluster alike."""
PREMADE = "premade"
"""Key under which a manifest says whose variant it is that was taken as it was published, not converted here."""
MODEL_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?")
"""What a model may be called: it becomes a folder name, part of a Kubernetes name, and the `model` of a request."""

LONGEST_NAME = 255
"""Bytes of one part of a path, on the file systems that we know."""


class Format(StrEnum):
    """How a model's files are laid out; one per family of engines."""

    PYTORCH = "pytorch"  # the source of all others: safetensors and JSON as published
    ONNX = "onnx"
    OPENVINO = "openvino"
    GGML = "ggml"
    CTRANSLATE2 = "ctranslate2"
    COREML = "coreml"  # the encoder that whisper.cpp runs beside a GGML file; made on macOS only, and in no cluster
    AUXILIARY = "auxiliary"  # models around transcription, as published: vad/silero, diarization/pyannote

    @property
    def is_for_whisper_cpp(self) -> bool:
        """Whether a variant is found by the one name that whisper.cpp knows it by, rather than in a folder of files."""
        return self in (Format.GGML, Format.COREML)


class Precision(StrEnum):
    """In which numbers the weights are kept."""

    STORED = "stored"  # as it was published, the only precision of the formats pytorch and auxiliary
    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"
    INT4 = "int4"
    INT8_FLOAT16 = "int8_float16"  # CTranslate2: matrices in int8, everything else in fp16
    Q8_0 = "q8_0"
    Q5_1 = "q5_1"
    Q5_0 = "q5_0"
    Q4_1 = "q4_1"
    Q4_0 = "q4_0"

    @property
    def is_rounded(self) -> bool:
        """Whether weights have fewer bits than Whisper is published with, so that what it hears may differ."""
        return self not in (Precision.STORED, Precision.FP32, Precision.FP16)


OFFERED: Mapping[Format, tuple[Precision, ...]] = MappingProxyType(
    {
        Format.PYTORCH: (Precision.STORED,),
        Format.ONNX: (Precision.FP32, Precision.INT8, Precision.INT4),
        Format.OPENVINO: (Precision.FP16, Precision.INT8, Precision.INT4),
        Format.GGML: (
            Precision.FP16,
            Precision.Q8_0,
            Precision.Q5_1,
            Precision.Q5_0,
            Precision.Q4_1,
            Precision.Q4_0,
        ),
        Format.CTRANSLATE2: (Precision.FP16, Precision.INT8, Precision.INT8_FLOAT16),
        Format.COREML: (Precision.FP16,),
        Format.AUXILIARY: (Precision.STORED,),
    }
)
"""The variants that `whisper-models` makes in this version; whatever else is asked for is refused, not ignored."""


@dataclass(frozen=True, slots=True, order=True)
class Variant:
    """One model in one format and precision."""

    model: str  # the catalogue's short name, "tiny.en"; never "whisper-tiny.en"
    format: Format
    precision: Precision

    def __str__(self) -> str:
        return f"{self.model} {self.format} {self.precision}"

    @classmethod
    def base(cls, model: str) -> Variant:
        """The variant that the others are made from."""
        return cls(model, Format.PYTORCH, Precision.STORED)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileEntry(_Frozen):
    """One file of a variant; `path` is relative to the variant's folder and stays inside it."""

    path: Annotated[str, Field(min_length=1, max_length=512)]
    size: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    @field_validator("path")
    @classmethod
    def _stays_inside(cls, path: str) -> str:
        if path.startswith("/") or "\\" in path or any(part in ("", ".", "..") for part in path.split("/")):
            raise ValueError(f"{path!r} is not a plain relative path")
        if not path.isprintable() or any(len(part.encode()) > LONGEST_NAME for part in path.split("/")):
            raise ValueError(f"{path!r} has a part that no file system can name")
        return path


class Source(_Frozen):
    """Where the weights were published."""

    repo: str
    revision: str  # the commit, never a branch
    endpoint: str


class Canary(_Frozen):
    """A clip and the text that validation got for it, which a runtime must repeat before it is ready."""

    clip: str
    text: str


class Transcript(_Frozen):
    """What a variant made of one sample, beside what the reference made of it."""

    clip: Annotated[str, Field(min_length=1, max_length=128)]
    text: Annotated[str, Field(max_length=8192)]
    expected: Annotated[str, Field(max_length=8192)]
    similarity: Annotated[float, Field(ge=0, le=1)]


class Validation(_Frozen):
    """How near a variant's transcripts come to those of FP32 ONNX of the same weights."""

    similarity: Annotated[float, Field(ge=0, le=1)]  # the least of all clips
    threshold: Annotated[float, Field(ge=0, le=1)]  # what was asked for when it was measured
    transcripts: tuple[Transcript, ...]
    tools: dict[str, str] = Field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Near enough to be served."""
        return self.similarity >= self.threshold


class Manifest(_Frozen):
    """What makes a folder a model. Written last: a folder without it is not a model."""

    schema_version: int = SCHEMA_VERSION
    model: str
    format: Format
    precision: Precision
    source: Source
    files: tuple[FileEntry, ...]
    digest: str  # "sha256:…" over `files`: the identity of the content
    made_from: str | None = None  # the digest of the variant that this one was converted from
    tools: dict[str, str] = Field(default_factory=dict)
    canary: Canary | None = None
    validation: Validation | None = None  # None until it was validated; files and digest stay the same

    @classmethod
    def describing(
        cls,
        variant: Variant,
        files: Iterable[FileEntry],
        *,
        source: Source,
        tools: dict[str, str],
        made_from: str | None = None,
    ) -> Manifest:
        """The manifest of these files, its digest computed."""
        entries = tuple(sorted(files, key=lambda entry: entry.path))
        return cls(
            model=variant.model,
            format=variant.format,
            precision=variant.precision,
            source=source,
            files=entries,
            digest=digest_of(entries),
            made_from=made_from,
            tools=tools,
        )

    @property
    def variant(self) -> Variant:
        """Which variant this manifest describes."""
        return Variant(self.model, self.format, self.precision)

    @property
    def premade(self) -> str | None:
        """The repository that it was taken from ready-made; None for an original, and for what was converted."""
        return self.tools.get(PREMADE)

    @property
    def size_bytes(self) -> int:
        """The files' bytes, the manifest's own not counted."""
        return sum(entry.size for entry in self.files)


def digest_of(files: Iterable[FileEntry]) -> str:
    """The digest of a variant's content: equal for equal files, whatever order they were made in."""
    rows = sorted((entry.path, entry.size, entry.sha256) for entry in files)
    return "sha256:" + hashlib.sha256(json.dumps(rows, separators=(",", ":")).encode()).hexdigest()
