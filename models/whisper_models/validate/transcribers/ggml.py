"""whisper.cpp, through pywhispercpp."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pywhispercpp.model import Model

from whisper_models.validate.transcribers import MOST_TOKENS, Transcribe

PARAMETERS: dict[str, Any] = {
    "n_threads": 1,
    "print_progress": False,
    "no_context": True,
    "no_timestamps": True,
    "single_segment": True,
    "suppress_nst": True,  # the other engines take the checkpoint's list of what is never said
    "temperature": 0.0,
    "temperature_inc": 0.0,
    "greedy": {"best_of": 1},
    "max_tokens": MOST_TOKENS,
}

MULTILINGUAL = 51865
"""The least size of a vocabulary with languages in it: whisper.cpp's own way to tell."""


def load(path: Path) -> Transcribe:
    """Open the file."""
    model = Model(str(path), redirect_whispercpp_logs_to=False, context_params={"use_gpu": False}, **PARAMETERS)
    multilingual = _vocabulary(path) >= MULTILINGUAL

    def transcribe(audio: Any, language: str | None) -> str:
        spoken = (language or "auto") if multilingual else "en"
        return " ".join(segment.text for segment in model.transcribe(audio, language=spoken))

    return transcribe


def _vocabulary(path: Path) -> int:
    """Its size, the first number after the file's magic."""
    with path.open("rb") as file:
        return int.from_bytes(file.read(8)[4:], "little")
