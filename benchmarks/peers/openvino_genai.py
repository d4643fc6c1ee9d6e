"""OpenVINO GenAI's Whisper pipeline, which always feeds 30 s and has no voice detection of its own."""

from __future__ import annotations

from openvino_genai import WhisperPipeline

from benchmarks.peers import Setting, Waveform


class OpenVinoGenAi:
    def __init__(self, pipeline: WhisperPipeline, language: dict[str, str]) -> None:
        self._pipeline = pipeline
        self._language = language

    def window(self, audio: Waveform) -> str:
        text: str = self._pipeline.generate(audio, return_timestamps=True, **self._language).texts[0]
        return text.strip()

    speech = window


def load(setting: Setting) -> OpenVinoGenAi:
    pipeline = WhisperPipeline(setting.path, "CPU", INFERENCE_NUM_THREADS=setting.threads)
    return OpenVinoGenAi(pipeline, {"language": "<|en|>", "task": "transcribe"} if setting.multilingual else {})
