"""whisper.cpp through pywhispercpp's wheel; parameters stick from call to call there, so each call sets all of them."""

from __future__ import annotations

from pywhispercpp.model import Model

from benchmarks.peers import Setting, Waveform


class WhisperCpp:
    def __init__(self, model: Model) -> None:
        self._model = model

    def window(self, audio: Waveform, *, words: bool = False) -> str:
        segments = self._model.transcribe(
            audio,
            language="en",
            temperature=0.0,
            temperature_inc=0.0,
            no_context=True,
            token_timestamps=words,
        )
        return " ".join(segment.text.strip() for segment in segments)

    speech = window


def load(setting: Setting) -> WhisperCpp:
    model = Model(
        setting.path,
        n_threads=setting.threads,
        print_progress=False,
        print_realtime=False,
        redirect_whispercpp_logs_to=None,
    )
    return WhisperCpp(model)
