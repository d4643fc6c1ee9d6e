"""Attention in bf16 answers what ONNX Runtime's answers, where the processor has it and nobody wants it exact."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import soundfile
from onnx import TensorProto, helper
from whisper_cpu.engine import Options, attention, load, processor
from whisper_models.artifact import Format

from tests.support.artifacts import converted_folder
from tests.support.words import JFK, JFK_WORDS, word_errors

HEADS = 6
BF16 = {"d_model": HEADS * 64, "encoder_attention_heads": HEADS}
needs_bf16 = pytest.mark.skipif(
    processor.lacks_for_bf16() is not None, reason=f"this processor has no {processor.lacks_for_bf16()}"
)


def library() -> Path:
    chosen = attention.choose("auto", "int8", BF16)
    assert chosen.library, chosen.described
    return chosen.library


def session(threads: int, operators: Path | None, size: int = 64, **attributes: int) -> Any:
    shape = [1, "length", HEADS * size]
    node = helper.make_node(
        "MultiHeadAttention", ["q", "k", "v"], ["out"], domain="com.microsoft", num_heads=HEADS, **attributes
    )
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("q", "k", "v", "out")]
    graph = helper.make_graph([node], "attention", ends[:3], ends[3:])
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    if operators:
        options.register_custom_ops_library(str(operators))
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def inputs(length: int, spread: float = 2.0, size: int = 64) -> dict[str, Any]:
    random = np.random.default_rng(length)
    made = {name: random.standard_normal((1, length, HEADS * size)).astype(np.float32) for name in ("q", "k", "v")}
    made["q"] *= spread
    return made


def answers(running: Any, given: dict[str, Any]) -> Any:
    return running.run(None, given)[0]


def error(ours: Any, exact: Any) -> float:
    return float(np.sqrt(np.square(ours - exact).mean() / np.square(exact).mean()))


@needs_bf16
@pytest.mark.parametrize("threads", [1, 2])
def test_it_answers_what_onnx_runtime_answers(threads: int) -> None:
    ours, exact = session(threads, library(), unidirectional=0), session(threads, None, unidirectional=0)
    errors = {
        length: error(answers(ours, inputs(length)), answers(exact, inputs(length)))
        for length in (1, 2, 11, 12, 13, 63, 64, 65, 400, 700, 1499, 1500)
    }
    assert all(0 < one < 0.01 for one in errors.values()), errors


@needs_bf16
def test_keys_that_are_far_apart_overflow_nothing() -> None:
    given = inputs(700, spread=200.0)
    ours, exact = (answers(session(1, one, unidirectional=0), given) for one in (library(), None))
    assert np.isfinite(ours).all()
    # with such scores one key wins, and scores that round to the same may let another win in a row
    assert np.median(np.abs(ours - exact)) < 0.01


@needs_bf16
def test_threads_change_no_bit_and_no_run_sees_the_one_before() -> None:
    one, two = (session(threads, library(), unidirectional=0) for threads in (1, 2))
    short = answers(one, inputs(65))
    assert np.array_equal(answers(one, inputs(1500)), answers(two, inputs(1500)))
    assert np.array_equal(answers(one, inputs(65)), short)
    assert np.array_equal(answers(two, inputs(65)), short)


@needs_bf16
@pytest.mark.parametrize(
    ("attributes", "given", "says"),
    [
        ({"unidirectional": 1}, inputs(8), "unidirectional = 0"),
        ({"unidirectional": 0, "size": 32}, inputs(8, size=32), "heads of 64"),
        ({"unidirectional": 0}, inputs(8) | {"k": inputs(9)["k"]}, "as many keys as queries"),
        ({"unidirectional": 0}, inputs(1537), "1,536 steps at most"),
    ],
)
def test_what_it_cannot_answer_it_refuses(attributes: dict[str, int], given: dict[str, Any], says: str) -> None:
    with pytest.raises(Exception, match=says):
        answers(session(1, library(), **attributes), given)


@needs_bf16
@pytest.mark.parametrize("model", ["tiny.en", "base"])
def test_the_engine_hears_jfk_without_a_word_error_in_it(model: str) -> None:
    engine = load(converted_folder(model, Format.ONNX, "int8"))
    assert engine.info.devices[0].description.endswith("attention in bf16: the processor has avx512_bf16")
    assert word_errors(JFK_WORDS, heard_of(engine)) == 0


@pytest.mark.parametrize(("mode", "precision"), [("exact", "int8"), ("auto", "fp32")])
def test_exact_and_fp32_stay_with_32_bits(mode: Any, precision: str) -> None:
    engine = load(converted_folder("tiny.en", Format.ONNX, precision), attention=mode)
    assert "attention in 32 bits" in engine.info.devices[0].description
    assert word_errors(JFK_WORDS, heard_of(engine)) == 0


def test_where_it_was_not_compiled_the_engine_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(processor, "lacks_for_bf16", lambda: None)
    monkeypatch.setattr(attention, "_installed", lambda: None)
    engine = load(converted_folder("tiny.en", Format.ONNX, "int8"))
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [one for one in warned if "install whisper-cpu again where there is a C compiler" in one]
    assert "it was not compiled" in engine.info.devices[0].description
    assert word_errors(JFK_WORDS, heard_of(engine)) == 0


def heard_of(engine: Any) -> str:
    samples, _ = soundfile.read(JFK, dtype="float32")
    return "".join(segment.text for segment in engine.transcribe(samples, Options()).segments)
