"""Prints where its answer goes, then answers with what it heard of the audio."""

import os
from pathlib import Path
from typing import Any


def load(_path: Path) -> Any:
    def transcribe(audio: Any, language: str | None) -> str:
        os.write(1, b"whisper_init_state: kv self size = 3.15 MB\n")
        return f"{len(audio)} samples, {language}"

    return transcribe
