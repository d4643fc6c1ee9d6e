"""OpenVINO's graphs as our decode loop runs them: changed when they are loaded, without a trace of other windows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops
from whisper_models.artifact import Format
from whisper_npu.child import surgery
from whisper_npu.child.graphs import OpenVinoGraphs
from whisper_npu.engine.choice import properties
from whisper_npu.engine.messages import Opening
from whisper_npu.settings import NpuSettings
from whisper_runtime.decoding.graphs import Decoder, Floats

from tests.support.artifacts import converted_folder

START, TOKENS = (50257,), (50362, 400, 370)


@pytest.fixture(scope="module")
def folder() -> Path:
    return converted_folder("tiny.en", Format.OPENVINO, "int8")


def graphs(folder: Path, precision: str = "f32") -> OpenVinoGraphs:
    told = properties("CPU", NpuSettings(inference_precision=precision, threads=1))
    return OpenVinoGraphs(Opening(folder, "CPU", told), json.loads((folder / "config.json").read_text()))


@pytest.fixture(scope="module")
def made(folder: Path) -> OpenVinoGraphs:
    return graphs(folder)


def sound(steps: int) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """A spectrogram of so many steps, and where they stand."""
    mel = np.random.default_rng(steps).standard_normal((1, 2 * steps, 80), dtype=np.float32)
    return mel, np.arange(steps)


def say(decoder: Decoder) -> list[Floats]:
    decoder.feed(START)
    return [decoder.feed((token,)).copy() for token in TOKENS]


@pytest.mark.parametrize("precision", ["f32", "auto"])
def test_a_window_is_heard_the_same_whatever_was_heard_before(folder: Path, precision: str) -> None:
    lengths, shared = (500, 900, 550), graphs(folder, precision)
    alone = {}
    for length in lengths:
        own = graphs(folder, precision)
        own.decoder().attend(own.encode(*sound(length)))
        alone[length] = say(own.decoder())
    for length in (*lengths, *reversed(lengths)):
        shared.decoder().attend(shared.encode(*sound(length)))
        assert np.array_equal(say(shared.decoder()), alone[length])
        shared.decoder().release()


def test_what_is_said_again_after_going_back_is_the_same(made: OpenVinoGraphs) -> None:
    decoder = made.decoder()
    decoder.attend(made.encode(*sound(500)))
    first = say(decoder)
    for back in (0, 2):
        decoder.rewind(back)
        again = say(decoder) if not back else [decoder.feed((token,)).copy() for token in TOKENS[back - 1 :]]
        assert np.array_equal(again, first[-len(again) :])


def test_attention_is_how_much_each_token_listens_to_each_step(made: OpenVinoGraphs, folder: Path) -> None:
    audio = made.encode(*sound(500))
    tokens = (*START, *TOKENS)
    heads = json.loads((folder / "generation_config.json").read_text())["alignment_heads"]
    attention = made.attention(tokens, audio)
    assert attention.shape == (len(heads), len(tokens), 500)
    assert np.allclose(attention.sum(axis=-1), 1.0, atol=1e-4)
    made.attention(tokens, made.encode(*sound(700)))
    assert np.array_equal(made.attention(tokens, audio), attention), "another window leaves no trace"


def test_attention_is_the_same_in_runs_as_at_one_go(made: OpenVinoGraphs) -> None:
    audio, decoder = made.encode(*sound(500)), made.decoder()
    tokens = (*START, *np.random.default_rng(0).integers(0, 50256, 39).tolist())
    in_runs = made.attention(tokens, audio)
    decoder.rewind(0)
    decoder.feed(tokens)
    assert np.abs(in_runs - decoder.attention()).max() < 0.02, "8 bits round a little differently"


def test_positions_say_where_a_step_stands(made: OpenVinoGraphs) -> None:
    mel, places = sound(500)
    assert not np.allclose(made.encode(mel, places), made.encode(mel, places + 900))


def reshaped(length: int) -> ov.Model:
    """An encoder that writes its length into a shape, as those of optimum do, and leaves the bins open."""
    mel = ops.parameter(ov.PartialShape([-1, -1, 2 * length]), ov.Type.f32)
    mel.output(0).set_names({surgery.MEL})
    x = ops.convolution(mel, ops.constant(np.ones((4, 80, 3), np.float32)), [2], [1], [1], [1])
    x = ops.add(ops.transpose(x, [0, 2, 1]), ops.constant(np.ones((1, length, 4), np.float32)))
    result = ops.result(ops.reshape(x, np.array([0, length, 2, 2]), True))
    result.output(0).set_names({surgery.HIDDEN})
    return ov.Model([result], [mel], "encoder")


def test_a_length_that_is_written_into_the_graph_becomes_free() -> None:
    model = reshaped(1500)
    surgery.with_positions(model)
    assert model.input(surgery.MEL).partial_shape == ov.PartialShape([1, 80, -1])
    assert model.output(surgery.HIDDEN).partial_shape == ov.PartialShape([1, -1, 2, 2])


def test_graphs_that_are_not_a_whispers_are_refused_by_name(folder: Path) -> None:
    core = ov.Core()
    encoder, decoder = (core.read_model(folder / f"openvino_{name}_model.xml") for name in ("encoder", "decoder"))
    surgery.with_positions(encoder)
    with pytest.raises(surgery.UnfitGraphError, match=r"openvino_encoder_model.xml has the inputs .*make it with"):
        surgery.with_positions(encoder)
    with pytest.raises(
        surgery.UnfitGraphError, match="has 4 layers that listen to the audio, and none for head 0 of 4"
    ):
        surgery.with_attention(decoder, [(4, 0)])
    with pytest.raises(surgery.UnfitGraphError, match=r"openvino_decoder_model.xml keeps no states"):
        surgery.with_attention(encoder, [(0, 0)])
