"""Every precision that a WhisperService may ask of the cpu runtime is one that its engine serves."""

from typing import get_args

import pytest
import soundfile
from whisper_cpu.engine import Options, load
from whisper_models.artifact import Format
from whisper_operator.api.whisperservice import CpuPrecision

from tests.support.artifacts import converted_folder
from tests.support.words import JFK, JFK_WORDS, word_errors


@pytest.mark.parametrize("model", ["tiny.en", "base"])
@pytest.mark.parametrize("precision", get_args(CpuPrecision))
def test_the_engine_hears_jfk_without_a_word_error_in(precision: str, model: str) -> None:
    engine = load(converted_folder(model, Format.ONNX, precision))
    samples, _ = soundfile.read(JFK, dtype="float32")

    heard = engine.transcribe(samples, Options())

    assert word_errors(JFK_WORDS, "".join(segment.text for segment in heard.segments)) == 0
