"""OpenVINO GenAI's pipeline, which alone knows how to run a Whisper on an NPU. It takes no prompt there."""

from __future__ import annotations

from typing import Any

import numpy as np
from openvino_genai import WhisperPipeline
from whisper_runtime.engine import Options, Stop, Transcript, Waveform

from whisper_npu.child.hearing import Chunk, Heard, transcribe
from whisper_npu.engine.messages import Opening


class GenAiPipeline:
    """Hears waveforms of any length, 30 s at a time."""

    def __init__(self, opening: Opening) -> None:
        self._pipeline = WhisperPipeline(opening.folder, opening.device, **opening.properties)
        self._multilingual = self._pipeline.get_generation_config().is_multilingual

    def hear(self, audio: Waveform, options: Options, stop: Stop) -> Transcript:
        """The segments of a whole waveform; a window cannot be interrupted."""
        return transcribe(self._generate, audio, options, stop)

    def _generate(self, audio: Waveform, options: Options) -> Heard:
        """One generation; its options are given anew each time, so that none sticks."""
        result = self._pipeline.generate(
            np.ascontiguousarray(audio, np.float32),
            return_timestamps=True,
            word_timestamps=options.word_timestamps,
            **self._orders(options),
        )
        words = result.words or () if options.word_timestamps else ()
        return Heard(
            chunks=tuple(_chunk(chunk.start_ts, chunk.end_ts, chunk.text) for chunk in result.chunks or ()),
            words=tuple(_chunk(word.start_ts, word.end_ts, word.word) for word in words),
            language=(result.language or "").strip("<|>") or None,
        )

    def _orders(self, options: Options) -> dict[str, Any]:
        orders: dict[str, Any] = {}
        if self._multilingual:
            orders["task"] = options.task
            if options.language:
                orders["language"] = f"<|{options.language}|>"
        if options.temperature > 0:  # the same audio gives the same text
            orders |= {"do_sample": True, "temperature": options.temperature, "rng_seed": 0}
        return orders


def _chunk(start: float, end: float, text: str) -> Chunk:
    return Chunk(round(start, 2), round(end, 2) if end >= 0 else None, text)
