"""OpenVINO GenAI's pipeline, which decodes on an NPU, here on the CPU: the same waveforms in, the same segments out."""

from __future__ import annotations

from itertools import pairwise

import pytest
import soundfile
from whisper_models.artifact import Format
from whisper_npu.child.genai import GenAiPipeline
from whisper_npu.engine.messages import Opening, Wish
from whisper_runtime.engine import Options, Transcript, never

from tests.support.artifacts import converted_folder
from tests.support.npu import CpuAsNpu
from tests.support.words import JFK, JFK_WORDS, word_errors

SPEECH = soundfile.read(JFK, dtype="float32")[0]


@pytest.fixture(scope="module")
def pipeline() -> GenAiPipeline:
    folder = converted_folder("tiny.en", Format.OPENVINO, "int8")
    told = {"word_timestamps": True, "INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    return GenAiPipeline(Opening(folder, "CPU", told))


def test_a_process_that_is_told_to_decode_by_it_does() -> None:
    """It alone knows no log-probabilities."""
    folder = converted_folder("tiny.en", Format.OPENVINO, "int8")
    opened = CpuAsNpu().open(Opening(folder, "NPU", {}, by="genai"), never, limit=120)
    try:
        heard = opened.hear(Wish(SPEECH, Options()), never, limit=120)
    finally:
        opened.close()
    assert word_errors(JFK_WORDS, text_of(heard)) == 0
    assert {segment.avg_logprob for segment in heard.segments} == {None}


def text_of(heard: Transcript) -> str:
    return "".join(segment.text for segment in heard.segments)


def test_words_are_right_and_have_sound_times(pipeline: GenAiPipeline) -> None:
    heard = pipeline.hear(SPEECH, Options(word_timestamps=True), never)
    words = [word for segment in heard.segments for word in segment.words or ()]
    assert word_errors(JFK_WORDS, text_of(heard)) == 0
    assert "".join(word.word for word in words) == text_of(heard)
    assert all(a.start <= a.end <= b.end for a, b in pairwise(words))


def test_nothing_of_a_request_sticks(pipeline: GenAiPipeline) -> None:
    before = pipeline.hear(SPEECH, Options(), never)
    warm = {text_of(pipeline.hear(SPEECH, Options(temperature=0.8, word_timestamps=True), never)) for _ in range(2)}
    assert len(warm) == 1
    assert pipeline.hear(SPEECH, Options(), never) == before
