"""OpenVINO GenAI's Whisper pipeline, which always feeds 30 s and has no voice detection of its own.

One call at a time, which its pipeline asks of its users. It finds words' times only if it was built for that, which
makes every call a little slower, so it is built for that only where they are asked for.
"""

from __future__ import annotations

import threading

from openvino_genai import WhisperPipeline

from benchmarks.peers import Setting, Waveform


class OpenVinoGenAi:
    def __init__(self, pipeline: WhisperPipeline, language: dict[str, str]) -> None:
        self._pipeline = pipeline
        self._language = language
        self._turn = threading.Lock()

    def window(self, audio: Waveform, *, words: bool = False) -> str:
        times = {"word_timestamps": True} if words else {}
        with self._turn:
            text: str = self._pipeline.generate(audio, return_timestamps=True, **times, **self._language).texts[0]
        return text.strip()

    speech = window


def load(setting: Setting) -> OpenVinoGenAi:
    built_for = {"word_timestamps": True} if setting.words else {}
    pipeline = WhisperPipeline(setting.path, "CPU", **built_for, INFERENCE_NUM_THREADS=setting.threads)
    return OpenVinoGenAi(pipeline, {"language": "<|en|>", "task": "transcribe"} if setting.multilingual else {})
