"""The settings that only this runtime has, beside the shared ones."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from whisper_runtime.decoding.settings import DecodingSettings
from whisper_runtime.settings import Count, Positive

DeviceName = Annotated[str, Field(pattern=r"^(NPU|GPU|CPU)(\.\d+)?$")]


class NpuSettings(DecodingSettings):
    """What `whisper-npu` is told."""

    device_order: tuple[DeviceName, ...] = Field(
        ("NPU", "GPU", "CPU"),
        min_length=1,
        validate_default=True,
        description="devices to try, best first, separated by commas; one that is not named is never used",
    )
    inference_precision: Literal["f32", "auto"] = Field(
        "f32",
        description="how the device CPU computes: 'f32' for the same words on every machine, 'auto' as OpenVINO likes, "
        "which is bf16 where the CPU has it",
    )
    compile_cache: Path | None = Field(
        None, description="folder that keeps compiled models for the next start; none are kept without it"
    )
    compile_cache_bytes: Count = Field(
        8 << 30, description="most that the folder may hold; the longest unused go first"
    )
    compile_seconds: Positive = Field(900.0, description="longest that one device may take to compile the model")
    device_retry_seconds: Positive = Field(
        60.0, description="time until a better device is tried again; doubles up to 16 times that while it fails"
    )

    @field_validator("device_order", mode="before")
    @classmethod
    def _each_once(cls, given: object) -> object:
        if not isinstance(given, Iterable):
            return given
        parts = [given] if isinstance(given, str) else given
        return tuple(dict.fromkeys(name.strip().upper() for part in parts for name in str(part).split(",")))
