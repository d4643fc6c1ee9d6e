"""CTranslate2, through faster-whisper. Where the CPU cannot compute in float16 it takes float32 by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from faster_whisper import WhisperModel

from whisper_models.validate.transcribers import MOST_TOKENS, Transcribe

OPTIONS: dict[str, Any] = {
    "beam_size": 1,
    "best_of": 1,
    "temperature": 0.0,
    "compression_ratio_threshold": None,
    "log_prob_threshold": None,
    "no_speech_threshold": None,
    "condition_on_previous_text": False,
    "without_timestamps": True,
    "max_new_tokens": MOST_TOKENS,
}


def load(path: Path) -> Transcribe:
    """Open the folder, which has its tokenizer with it."""
    model = WhisperModel(str(path), device="cpu", compute_type="default", cpu_threads=1, local_files_only=True)

    def transcribe(audio: Any, language: str | None) -> str:
        return "".join(segment.text for segment in model.transcribe(audio, language=language, **OPTIONS)[0])

    return transcribe
