"""OpenVINO GenAI on the CPU, in float32: it would pick bfloat16 by itself where the processor has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openvino_genai

from whisper_models.validate.transcribers import MOST_TOKENS, Transcribe

PROPERTIES = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}


def load(path: Path) -> Transcribe:
    """Compile the graphs."""
    pipeline = openvino_genai.WhisperPipeline(str(path), "CPU", **PROPERTIES)
    multilingual = bool(pipeline.get_generation_config().lang_to_id)

    def transcribe(audio: Any, language: str | None) -> str:
        orders: dict[str, Any] = {"task": "transcribe"} if multilingual else {}
        if multilingual and language:
            orders["language"] = f"<|{language}|>"
        return str(pipeline.generate(audio, max_new_tokens=MOST_TOKENS, **orders).texts[0])

    return transcribe
