"""The engines, one module each: `load` opens a variant and gives what turns a window of speech into text.

All decode alike, greedily, without timestamps, prompt or fallback, on one thread: two texts then differ because the
weights do, and not because the decoding does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from whisper_models.artifact import Format

Transcribe = Callable[[npt.NDArray[np.float32], str | None], str]
"""Mono at 16 kHz, at most 30 s, and the language, None to detect it → the text."""

MOST_TOKENS = 224
"""In one window, as Whisper's authors have it."""

TRANSCRIBERS: Mapping[Format, str] = MappingProxyType(
    {form: f"{__name__}.{form}" for form in (Format.ONNX, Format.OPENVINO, Format.GGML, Format.CTRANSLATE2)}
)
"""The module that hears a format."""

ENGINES: Mapping[Format, tuple[str, ...]] = MappingProxyType(
    {
        Format.ONNX: ("onnxruntime",),
        Format.OPENVINO: ("openvino", "openvino-genai"),
        Format.GGML: ("pywhispercpp",),
        Format.CTRANSLATE2: ("ctranslate2", "faster-whisper"),
    }
)
"""The distributions whose versions decide what is heard."""
