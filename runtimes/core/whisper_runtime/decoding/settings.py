"""The settings of every runtime that decodes with this loop, beside those that all runtimes share."""

from __future__ import annotations

from pydantic import Field

from whisper_runtime.decoding.context import ContextMode
from whisper_runtime.settings import Settings


class DecodingSettings(Settings):
    """What `serve` is told of decoding."""

    context: ContextMode = Field(
        "cut",
        description="what a window shorter than 30 s is heard in: 'cut' for about its own length, which is faster, and "
        "'full' only where that is not to be believed; 'full' always for the model's whole 30 s",
    )
