"""What the npu engine hears on OpenVINO's CPU device, in each precision, beside what the cpu engine hears."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
import soundfile
from whisper_cpu.engine import CpuEngine
from whisper_models.artifact import Format
from whisper_models.validate.similarity import similarity
from whisper_npu.engine import NpuEngine, OpenVinoDevices
from whisper_npu.settings import NpuSettings
from whisper_runtime.artifacts import find_artifact
from whisper_runtime.engine import SAMPLE_RATE, Engine, Options, Waveform, never
from whisper_runtime.speech.transcription import transcribe

from tests.support.artifacts import onnx_store, openvino_store
from tests.support.sounds import WITHOUT_A_VOICE
from tests.support.words import AUDIO, JFK, JFK_WORDS, word_errors

VARIANTS = [("tiny.en", "int8"), ("tiny.en", "fp16"), ("base", "int8"), ("base", "fp16")]
CLIPS = sorted(AUDIO.glob("*.wav"))
ALIKE = 0.90


def npu(model: str, precision: str) -> NpuEngine:
    engine = NpuEngine(NpuSettings(device_order=("CPU",)), OpenVinoDevices())
    engine.load(find_artifact(openvino_store(model, precision), model, Format.OPENVINO, precision))
    engine.compile()
    return engine


@pytest.fixture(scope="module", params=VARIANTS, ids="-".join)
def engine(request: pytest.FixtureRequest) -> Iterator[tuple[str, NpuEngine]]:
    """The model's name, and the engine with it."""
    model, precision = request.param
    made = npu(model, precision)
    yield model, made
    made.close()


@cache
def cpu_text(model: str, clip: Path) -> str:
    engine = CpuEngine(threads=1)
    engine.load(find_artifact(onnx_store(model), model, Format.ONNX, "int8"))
    return text_of(engine, clip)


def read(clip: Path) -> Waveform:
    audio: Waveform = soundfile.read(clip, dtype="float32")[0]
    return audio


def text_of(engine: Engine, clip: Path) -> str:
    heard = transcribe(engine, read(clip), Options(), never).transcript
    return "".join(segment.text for segment in heard.segments)


def test_jfk_has_no_word_error_and_sound_times(engine: tuple[str, NpuEngine]) -> None:
    heard = engine[1].transcribe(read(JFK), Options(word_timestamps=True))
    assert word_errors(JFK_WORDS, "".join(segment.text for segment in heard.segments)) == 0
    assert heard.language == "en"
    words = [word for segment in heard.segments for word in segment.words or ()]
    assert word_errors(JFK_WORDS, "".join(word.word for word in words)) == 0
    assert all(a.start <= a.end <= b.end for a, b in pairwise(words))
    assert words[-1].end <= 11.0


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.stem)
def test_it_hears_what_the_cpu_engine_hears(engine: tuple[str, NpuEngine], clip: Path) -> None:
    assert similarity(cpu_text(engine[0], clip), text_of(engine[1], clip), "en") > ALIKE


@pytest.mark.parametrize("sound", WITHOUT_A_VOICE)
def test_without_a_voice_there_are_no_words(engine: tuple[str, NpuEngine], sound: Callable[[int], Waveform]) -> None:
    heard = engine[1].transcribe(sound(5 * SAMPLE_RATE), Options())
    assert heard.segments == ()
    assert set(heard.suppressed) <= {"no_speech", "repetition"}
