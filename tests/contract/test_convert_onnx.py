"""The ONNX graphs compute what Whisper computes: against numpy, against CTranslate2, and fewer bits against float32."""

from __future__ import annotations

import wave
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from faster_whisper.feature_extractor import FeatureExtractor
from safetensors.numpy import load_file
from whisper_models.artifact import OFFERED, Format, Precision
from whisper_models.convert.onnx import GRAPHS, bytes_needed, convert

from tests.support import random_checkpoint
from tests.support.artifacts import converted_folder
from tests.support.weights import PARCELS, hf_folder
from tests.support.whisper_reference import Floats, Reference

JFK = Path("tests/support/audio/jfk.wav")
PROMPT = [50257, 50362]  # <|startoftranscript|> <|notimestamps|>
END = 50256
BUFFER = 448
NAMES = ("encoder", "decoder", "align")

Feed = dict[str, npt.NDArray[Any]]


class Graphs:
    """The three graphs of a folder, run one call at a time."""

    def __init__(self, folder: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.sessions = {
            name: onnxruntime.InferenceSession(folder / f"{name}.onnx", options, providers=["CPUExecutionProvider"])
            for name in NAMES
        }

    def run(self, graph: str, feed: Feed) -> Feed:
        session = self.sessions[graph]
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, feed), strict=True))

    def encode(self, mel: Floats) -> Feed:
        """(mel bins, frames), as people write it."""
        return self.run("encoder", {"mel": mel.T[None], "epos": np.arange(mel.shape[1] // 2)})

    def decode(self, tokens: list[int], cross: Feed, past: Feed, done: int) -> Feed:
        total = done + len(tokens)
        feed = {
            "ids": np.array([tokens]),
            "pos": np.arange(done, total),
            "seqlens_k": np.array([total - 1], np.int32),
            "total": np.array([total], np.int32),
        }
        return self.run("decoder", {**feed, **cross, **past})

    def empty(self, length: int = BUFFER) -> Feed:
        shapes = {i.name: i.shape for i in self.sessions["decoder"].get_inputs() if i.name.startswith("past_")}
        return {name: np.zeros((1, heads, length, width), np.float32) for name, (_, heads, _, width) in shapes.items()}

    def greedy(self, encoded: Feed, count: int) -> tuple[list[int], list[Floats]]:
        """Tokens after the prompt, and the logits that each was chosen from."""
        cross, past = _cross(encoded), self.empty()
        tokens, new = list(PROMPT), list(PROMPT)
        logits: list[Floats] = []
        while len(logits) < count and tokens[-1] != END:
            answer = self.decode(new, cross, past, len(tokens) - len(new))
            past = _past(answer)
            logits.append(answer["logits"][0, 0])
            new = [int(logits[-1].argmax())]
            tokens += new
        return tokens, logits

    def along(self, encoded: Feed, tokens: list[int]) -> list[Floats]:
        """The logits for each token after the prompt, whatever would have been chosen."""
        cross, past, done = _cross(encoded), self.empty(), 0
        logits: list[Floats] = []
        for new in (tokens[: len(PROMPT)], *([token] for token in tokens[len(PROMPT) : -1])):
            answer = self.decode(new, cross, past, done)
            past, done = _past(answer), done + len(new)
            logits.append(answer["logits"][0, 0])
        return logits


def _cross(encoded: Feed) -> Feed:
    return {name: array for name, array in encoded.items() if name.startswith("cross_")}


def _past(answer: Feed) -> Feed:
    return {name.replace("present", "past"): array for name, array in answer.items() if name.startswith("present")}


def _folder(precision: str) -> Path:
    return converted_folder("tiny.en", Format.ONNX, precision)


@pytest.fixture(scope="module")
def float32() -> Graphs:
    return Graphs(_folder("fp32"))


@pytest.fixture(scope="module")
def int8() -> Graphs:
    return Graphs(_folder("int8"))


@pytest.fixture(scope="module")
def speech() -> Floats:
    """Eleven seconds of speech as mel frames: (80, 1100)."""
    with wave.open(str(JFK)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
    return np.asarray(FeatureExtractor()(samples), np.float32)[:, :1100]


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference(load_file(hf_folder("tiny.en") / "model.safetensors"), heads=6)


@pytest.fixture(scope="module")
def heard(reference: Reference, speech: Floats) -> Floats:
    return reference.encode(speech)


def test_the_encoder_hears_what_the_reference_hears(float32: Graphs, speech: Floats, heard: Floats) -> None:
    assert np.abs(float32.encode(speech)["hidden"][0] - heard).max() < 2e-3


def test_the_encoder_agrees_with_an_engine_that_reads_the_original_weights(float32: Graphs, speech: Floats) -> None:
    window = np.full((80, 3000), speech.min(), np.float32)
    window[:, : speech.shape[1]] = speech
    engine = ctranslate2.models.Whisper(str(PARCELS["tiny.en"].file("")), compute_type="float32", intra_threads=1)
    theirs = np.array(engine.encode(ctranslate2.StorageView.from_array(window[None])))
    ours = float32.encode(window)["hidden"]
    assert np.abs(ours - theirs).max() < 2e-2
    assert np.abs(ours - theirs).mean() < 2e-4


def test_the_decoder_says_what_the_reference_says_token_by_token(
    float32: Graphs, speech: Floats, reference: Reference, heard: Floats
) -> None:
    tokens, logits = float32.greedy(float32.encode(speech), count=30)
    expected, _ = reference.decode(tokens[:-1], heard)
    assert tokens[-1] == END
    assert np.abs(np.array(logits) - expected[len(PROMPT) - 1 :]).max() < 5e-3


def test_the_alignment_graph_gives_the_cross_attention_of_the_named_heads(
    float32: Graphs, speech: Floats, reference: Reference, heard: Floats
) -> None:
    encoded = float32.encode(speech)
    tokens, _ = float32.greedy(encoded, count=30)
    probabilities = float32.run("align", {"ids": np.array([tokens]), "pos": np.arange(len(tokens)), **_cross(encoded)})
    _, attentions = reference.decode(tokens, heard)
    heads = [(1, 0), (2, 0), (2, 5), (3, 0), (3, 1), (3, 2), (3, 3), (3, 4)]  # of tiny.en
    expected = np.array([attentions[layer][head] for layer, head in heads])
    assert np.abs(probabilities["probs"] - expected).max() < 1e-3


def margin(logits: Floats) -> float:
    """How far the best token is ahead of the second best."""
    second, best = np.sort(logits)[-2:]
    return float(best - second)


@pytest.mark.parametrize(("precision", "most", "least"), [("int8", 1, 0.98), ("int4", 2, 0.96)])
def test_fewer_bits_hear_and_say_nearly_what_float32_does(
    float32: Graphs, speech: Floats, precision: str, most: int, least: float
) -> None:
    """Where float32 hardly decides, a comma or none, the processor's own int8 instructions may tip the balance."""
    rounded = Graphs(_folder(precision))
    tokens, exact = float32.greedy(float32.encode(speech), count=30)
    logits = rounded.along(rounded.encode(speech), tokens)
    changed = [margin(a) for a, b in zip(exact, logits, strict=True) if a.argmax() != b.argmax()]
    assert len(changed) <= most
    assert max(changed, default=0) < 1
    similarity = [float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)) for a, b in zip(exact, logits, strict=True)]
    assert min(similarity) > least


def test_keys_and_values_are_written_in_place_when_bound_to_one_buffer(int8: Graphs, speech: Floats) -> None:
    encoded = int8.encode(speech)
    expected, _ = int8.greedy(encoded, count=8)
    session = int8.sessions["decoder"]
    binding = session.io_binding()
    buffers = {name: onnxruntime.OrtValue.ortvalue_from_numpy(array) for name, array in int8.empty().items()}
    for name, buffer in buffers.items():
        binding.bind_ortvalue_input(name, buffer)
        binding.bind_ortvalue_output(name.replace("past", "present"), buffer)
    for name, array in _cross(encoded).items():
        binding.bind_cpu_input(name, array)
    logits = onnxruntime.OrtValue.ortvalue_from_shape_and_type([1, 1, 51864], np.float32)
    binding.bind_ortvalue_output("logits", logits)
    tokens, new = list(PROMPT), list(PROMPT)
    while len(tokens) < len(expected):
        binding.bind_cpu_input("ids", np.array([new]))
        binding.bind_cpu_input("pos", np.arange(len(tokens) - len(new), len(tokens)))
        binding.bind_cpu_input("seqlens_k", np.array([len(tokens) - 1], np.int32))
        binding.bind_cpu_input("total", np.array([len(tokens)], np.int32))
        session.run_with_iobinding(binding)
        new = [int(logits.numpy().argmax())]
        tokens += new
    assert tokens == expected


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-3), ("int8", 1.0), ("int4", 1.0)])
def test_windows_decoded_at_once_have_the_logits_that_they_have_alone(
    speech: Floats, precision: str, tolerance: float
) -> None:
    graphs = Graphs(_folder(precision))
    windows = [graphs.encode(speech), graphs.encode(speech[:, ::-1] * 0.5)]
    tokens = [*PROMPT, 843, 523, 616]
    alone = [graphs.along(encoded, [*tokens, END])[-1] for encoded in windows]
    crosses = [_cross(encoded) for encoded in windows]
    cross = {name: np.concatenate([one[name] for one in crosses]) for name in crosses[0]}
    past = {name: np.concatenate([array, array]) for name, array in graphs.empty().items()}
    for begun, end in ((0, 3), (3, 4), (4, 5)):  # several tokens come first, and then one at a time
        rows = {"ids": np.array([tokens[begun:end]] * 2), "pos": np.arange(begun, end)}
        lengths = {"seqlens_k": np.array([end - 1] * 2, np.int32), "total": np.array([end], np.int32)}
        answer = graphs.run("decoder", {**rows, **lengths, **cross, **past})
        past = _past(answer)
    for expected, found in zip(alone, answer["logits"][:, 0], strict=True):
        assert np.abs(found - expected).max() < tolerance


Converted = Callable[[Path, str], Graphs]


@pytest.fixture
def converted(tmp_path: Path) -> Converted:
    def run(source: Path, precision: str) -> Graphs:
        target = tmp_path / f"{source.name}-{precision}"
        target.mkdir()
        convert(source, target, Precision(precision))
        return Graphs(target)

    return run


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-3), ("int8", 0.5), ("int4", 0.5)])
def test_a_model_with_128_mel_bins_converts_and_agrees_with_the_reference(
    tmp_path: Path, converted: Converted, precision: str, tolerance: float
) -> None:
    tensors = random_checkpoint.random_tensors(mel_bins=128)
    graphs = converted(random_checkpoint.write_whole(tmp_path / "hf", tensors, mel_bins=128), precision)
    mel = np.random.default_rng(1).standard_normal((128, 60)).astype(np.float32)
    encoded = graphs.encode(mel)
    reference = Reference(tensors, random_checkpoint.HEADS)
    heard = reference.encode(mel)
    expected, attentions = reference.decode([1, 2, 3], heard)

    answer = graphs.decode([1, 2, 3], _cross(encoded), graphs.empty(random_checkpoint.TEXT), 0)
    aligned = graphs.run("align", {"ids": np.array([[1, 2, 3]]), "pos": np.arange(3), **_cross(encoded)})["probs"]
    assert np.abs(encoded["hidden"][0] - heard).max() < tolerance
    assert np.abs(answer["logits"][0, 0] - expected[-1]).max() / np.abs(expected).max() < tolerance
    assert np.abs(aligned - np.array([attentions[0][1], attentions[1][0], attentions[1][1]])).max() < tolerance


def test_shards_convert_to_the_very_same_files(tmp_path: Path, converted: Converted) -> None:
    tensors = random_checkpoint.random_tensors(mel_bins=80)
    converted(random_checkpoint.write_whole(tmp_path / "whole", tensors, mel_bins=80), "int8")
    converted(random_checkpoint.write_sharded(tmp_path / "sharded", tensors, mel_bins=80), "int8")
    for path in (tmp_path / "whole-int8").iterdir():
        assert path.read_bytes() == (tmp_path / "sharded-int8" / path.name).read_bytes()


LAYERS = 4 * (4 + 2 + 2)
"""Of the decoder; with one more the logits."""


@pytest.mark.parametrize(("precision", "bits"), [("int8", {8: LAYERS + 1}), ("int4", {4: LAYERS, 8: 1})])
def test_the_decoder_is_in_blocks_and_the_encoder_is_not(precision: str, bits: dict[int, int]) -> None:
    graphs = {name: onnx.load(_folder(precision) / f"{name}.onnx", load_external_data=False) for name in NAMES}
    used = {name: Counter(node.op_type for node in graph.graph.node) for name, graph in graphs.items()}
    assert used["encoder"]["MatMulNBits"] == used["decoder"]["MatMulIntegerToFloat"] == 0
    blocked = [node for node in graphs["decoder"].graph.node if node.op_type == "MatMulNBits"]
    found = Counter(one.i for node in blocked for one in node.attribute if one.name == "bits")
    assert found == bits


def test_int4_is_smaller_than_int8() -> None:
    sizes = [sum(path.stat().st_size for path in _folder(precision).iterdir()) for precision in ("int4", "int8")]
    assert sizes[0] < 0.97 * sizes[1]


@pytest.mark.parametrize("model", ["tiny.en", "base"])
@pytest.mark.parametrize("precision", OFFERED[Format.ONNX])
def test_space_is_asked_for_as_it_is_used(model: str, precision: str) -> None:
    used = sum(path.stat().st_size for path in converted_folder(model, Format.ONNX, precision).iterdir())
    assert used <= bytes_needed(hf_folder(model), Precision(precision)) < 1.6 * used


def test_graphs_stay_small_whatever_the_model_weighs() -> None:
    folder = _folder("fp32")
    for weights, graphs in GRAPHS.items():
        assert (folder / weights).stat().st_size > 30_000_000
        for graph, _ in graphs:
            assert (folder / graph).stat().st_size < 100_000
