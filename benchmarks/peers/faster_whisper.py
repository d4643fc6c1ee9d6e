"""faster-whisper: the usual choice on CPUs, CTranslate2 underneath."""

from __future__ import annotations

from faster_whisper import WhisperModel

from benchmarks.peers import Setting, Waveform


class FasterWhisper:
    def __init__(self, model: WhisperModel) -> None:
        self._model = model

    def window(self, audio: Waveform, *, words: bool = False) -> str:
        return self._hear(audio, vad=False, words=words)

    def speech(self, audio: Waveform) -> str:
        return self._hear(audio, vad=True)

    def _hear(self, audio: Waveform, *, vad: bool, words: bool = False) -> str:
        segments, _ = self._model.transcribe(
            audio,
            language="en",
            beam_size=1,
            best_of=1,
            temperature=0.0,
            condition_on_previous_text=False,
            vad_filter=vad,
            word_timestamps=words,
        )
        return " ".join(segment.text.strip() for segment in segments)


def load(setting: Setting) -> FasterWhisper:
    model = WhisperModel(
        setting.path, device="cpu", compute_type="int8", cpu_threads=setting.threads, local_files_only=True
    )
    return FasterWhisper(model)
