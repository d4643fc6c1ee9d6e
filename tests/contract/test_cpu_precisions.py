"""Every precision that a WhisperService may ask of the cpu runtime is one that its engine serves."""

from typing import get_args

import pytest
import soundfile
from whisper_cpu.engine import CpuEngine, Options, load, processor
from whisper_models.artifact import Format
from whisper_operator.api.whisperservice import CpuPrecision
from whisper_runtime.artifacts import find_artifact

from tests.support.artifacts import converted_folder, onnx_store
from tests.support.words import JFK, JFK_WORDS, word_errors


@pytest.mark.parametrize("model", ["tiny.en", "base"])
@pytest.mark.parametrize("precision", get_args(CpuPrecision))
def test_the_engine_hears_jfk_without_a_word_error_in(precision: str, model: str) -> None:
    engine = load(converted_folder(model, Format.ONNX, precision))
    samples, _ = soundfile.read(JFK, dtype="float32")

    heard = engine.transcribe(samples, Options())

    assert word_errors(JFK_WORDS, "".join(segment.text for segment in heard.segments)) == 0


@pytest.mark.parametrize(("precision", "warnings"), [("int8", 1), ("int4", 1), ("fp32", 0)])
def test_a_processor_that_is_slow_in_a_precision_is_told_of(
    precision: str, warnings: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(processor, "lacks", lambda: "asimddp")
    CpuEngine(threads=1).load(find_artifact(onnx_store("tiny.en", precision), "tiny.en", Format.ONNX, precision))
    assert [record.getMessage() for record in caplog.records if "serve fp32" in record.getMessage()] == [
        f"this processor has no asimddp, without which a token in {precision} takes ten times as long: serve fp32 here"
    ] * warnings
