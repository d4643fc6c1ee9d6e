"""A clip heard in its own length gives the words that it gives in Whisper's 30 s, or is heard in those once more."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import soundfile
from whisper_cpu.engine import CpuEngine, Options, load
from whisper_models.artifact import Format
from whisper_runtime.engine import SAMPLE_RATE, Transcript, Waveform

from tests.support.artifacts import converted_folder
from tests.support.clips import TELLING, TOLD
from tests.support.espeak import speak
from tests.support.sounds import hiss
from tests.support.words import JFK, JFK_WORDS, word_errors


@pytest.fixture(scope="module")
def engines() -> Mapping[str, CpuEngine]:
    folder = converted_folder("tiny.en", Format.ONNX, "fp32")
    return {"full": load(folder, context="full"), "cut": load(folder, context="cut")}


@pytest.fixture(scope="module")
def jfk() -> Waveform:
    audio, _ = soundfile.read(JFK, dtype="float32")
    return np.asarray(audio, np.float32)


def said(heard: Transcript) -> str:
    return "".join(segment.text for segment in heard.segments)


def test_as_many_words_are_right_as_in_full(engines: Mapping[str, CpuEngine], jfk: Waveform) -> None:
    clips = [(JFK_WORDS, jfk), *((text, speak(text, voice).audio) for text in TOLD for voice in TELLING)]
    errors = {
        mode: sum(word_errors(words, said(engine.transcribe(audio, Options()))) for words, audio in clips)
        for mode, engine in engines.items()
    }
    spoken = sum(len(words.split()) for words, _ in clips)
    assert errors["cut"] <= errors["full"] + spoken / 100


def test_words_have_the_times_that_they_have_in_full(engines: Mapping[str, CpuEngine], jfk: Waveform) -> None:
    starts = {}
    for mode, engine in engines.items():
        heard = engine.transcribe(jfk, Options(word_timestamps=True))
        starts[mode] = [word.start for segment in heard.segments for word in segment.words or ()]
    assert len(starts["cut"]) == len(starts["full"])
    assert np.abs(np.subtract(starts["cut"], starts["full"])).mean() < 0.1


def test_what_may_be_no_speech_is_left_to_the_full_context(engines: Mapping[str, CpuEngine]) -> None:
    audio = hiss(4 * SAMPLE_RATE)
    heard = {mode: engine.transcribe(audio, Options()) for mode, engine in engines.items()}
    assert heard["cut"].segments == heard["full"].segments
    assert len(heard["cut"].heard_in_full) == 1
    assert heard["full"].heard_in_full == ()
