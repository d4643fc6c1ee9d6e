"""What the npu engine hears on OpenVINO's CPU device, in each precision, beside what the cpu engine hears."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

import pytest
from whisper_cpu.engine import CpuEngine
from whisper_models.artifact import Format
from whisper_models.validate.similarity import similarity
from whisper_npu.engine import NpuEngine, OpenVinoDevices
from whisper_npu.settings import NpuSettings
from whisper_runtime.artifacts import find_artifact
from whisper_runtime.engine import Engine, Options, never
from whisper_runtime.speech.transcription import transcribe

from tests.support.artifacts import onnx_store, openvino_store
from tests.support.clips import RECORDED, SPOKEN, Clip
from tests.support.words import JFK_WORDS, jfk, word_errors

VARIANTS = [("tiny.en", "int8"), ("tiny.en", "fp16"), ("base", "int8"), ("base", "fp16")]
SAME = {"int8": "int8", "fp16": "fp32"}
"""What the cpu engine calls the precision: the weights of fp16 are the checkpoint's, and both compute in 32 bits."""
ALIKE = 0.90
UNSURE = {("tiny.en", "int8", "told-0-en-us"): 0.85, ("base", "int8", "morning-it"): 0.85}
"""Measured 0.902: "of its pillars" is "of its steers" to one engine and "it's pillars" to the other. And 0.898 on a
processor without VNNI, where both mishear the Italian of a synthesiser, now and then with other words."""
LONGEST = ("base", "fp16")
"""Takes as long as all others together, so it hears only what people said."""


def npu(model: str, precision: str) -> NpuEngine:
    engine = NpuEngine(NpuSettings(device_order=("CPU",)), OpenVinoDevices())
    engine.load(find_artifact(openvino_store(model, precision), model, Format.OPENVINO, precision))
    engine.compile()
    return engine


@pytest.fixture(scope="module", params=VARIANTS, ids="-".join)
def variant(request: pytest.FixtureRequest) -> Iterator[tuple[str, str, NpuEngine]]:
    """The model's name, the precision's, and the engine with them."""
    model, precision = request.param
    made = npu(model, precision)
    yield model, precision, made
    made.close()


@lru_cache(maxsize=1)  # one at a time in memory
def cpu(model: str, precision: str) -> CpuEngine:
    engine = CpuEngine(threads=1)
    engine.load(find_artifact(onnx_store(model, precision), model, Format.ONNX, precision))
    return engine


def text_of(engine: Engine, clip: Clip) -> str:
    heard = transcribe(engine, clip.audio(), Options(), never).transcript
    return "".join(segment.text for segment in heard.segments)


def test_jfk_has_no_word_error_and_sound_times(variant: tuple[str, str, NpuEngine]) -> None:
    heard = variant[2].transcribe(jfk(), Options(word_timestamps=True))
    assert word_errors(JFK_WORDS, "".join(segment.text for segment in heard.segments)) == 0
    assert heard.language == "en"
    words = [word for segment in heard.segments for word in segment.words or ()]
    assert word_errors(JFK_WORDS, "".join(word.word for word in words)) == 0
    assert all(a.start <= a.end <= b.end for a, b in pairwise(words))
    assert words[-1].end <= 11.0


def test_it_hears_what_the_cpu_engine_hears(variant: tuple[str, str, NpuEngine]) -> None:
    """In the same precision, in every clip of a language that the model speaks."""
    model, precision, engine = variant
    other = cpu(model, SAME[precision])
    clips = RECORDED if (model, precision) == LONGEST else (*RECORDED, *SPOKEN)
    alike = {
        clip.name: similarity(text_of(other, clip), text_of(engine, clip), clip.language)
        for clip in clips
        if clip.language in engine.info.languages
    }
    print(model, precision, {name: round(how, 3) for name, how in alike.items()})  # noqa: T201 - seen with -s
    least = {name: UNSURE.get((model, precision, name), ALIKE) for name in alike}
    assert [name for name, how in alike.items() if how <= least[name]] == []
