"""The settings of the cpu runtime, beside those of every runtime that decodes with the shared loop."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from whisper_runtime.decoding.settings import DecodingSettings

AttentionMode = Literal["auto", "exact"]


class CpuSettings(DecodingSettings):
    """What `serve` is told of the engine."""

    attention: AttentionMode = Field(
        "auto",
        description="how the encoder of a variant in 8 or 4 bits computes attention: 'auto' in bf16 where the "
        "processor has products for it (avx512_bf16), which is faster; 'exact' in 32 bits always",
    )
