"""Our own engines, behind the same transcription of whole files that the runtimes serve."""

from __future__ import annotations

from whisper_runtime.engine import Engine, Options, never
from whisper_runtime.speech.transcription import transcribe

from benchmarks.peers import Waveform


class OurRuntime:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def window(self, audio: Waveform) -> str:
        return self._hear(audio, vad=False)

    def speech(self, audio: Waveform) -> str:
        return self._hear(audio, vad=True)

    def _hear(self, audio: Waveform, *, vad: bool) -> str:
        heard = transcribe(self._engine, audio, Options(language="en"), never, vad=vad)
        return " ".join(segment.text.strip() for segment in heard.transcript.segments)
