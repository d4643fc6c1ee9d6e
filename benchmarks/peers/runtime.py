"""Our own engines, behind the same transcription of whole files that the runtimes serve."""

from __future__ import annotations

from whisper_runtime.engine import Engine, Options, never
from whisper_runtime.speech.spans import DEFAULT, Sensitivity
from whisper_runtime.speech.transcription import transcribe

from benchmarks.peers import Waveform


class OurRuntime:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def window(self, audio: Waveform, *, words: bool = False) -> str:
        return self._hear(audio, vad=None, words=words)

    def speech(self, audio: Waveform) -> str:
        return self._hear(audio, vad=DEFAULT)

    def _hear(self, audio: Waveform, *, vad: Sensitivity | None, words: bool = False) -> str:
        heard = transcribe(self._engine, audio, Options(language="en", word_timestamps=words), never, vad=vad)
        return " ".join(segment.text.strip() for segment in heard.transcript.segments)
