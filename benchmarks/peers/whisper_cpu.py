"""Our own cpu engine, behind the same transcription of whole files that the runtime serves."""

from __future__ import annotations

from whisper_cpu.engine import load as load_engine
from whisper_runtime.engine import Engine, Options
from whisper_runtime.speech.transcription import transcribe

from benchmarks.peers import Setting, Waveform


class WhisperCpu:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def window(self, audio: Waveform) -> str:
        return self._hear(audio, vad=False)

    def speech(self, audio: Waveform) -> str:
        return self._hear(audio, vad=True)

    def _hear(self, audio: Waveform, *, vad: bool) -> str:
        heard = transcribe(self._engine, audio, Options(language="en"), _never, vad=vad)
        return " ".join(segment.text.strip() for segment in heard.transcript.segments)


def _never() -> None:
    """Nobody stops a benchmark's request."""


def load(setting: Setting) -> WhisperCpu:
    return WhisperCpu(load_engine(setting.folder, setting.threads))
