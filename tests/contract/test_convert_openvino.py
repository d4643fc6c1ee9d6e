"""The OpenVINO folders: as exact as nncf's, and openvino_genai says when each word was; see also `test_formats`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
import soundfile
from numpy.typing import NDArray
from whisper_models.artifact import OFFERED, Format, Precision
from whisper_models.convert.checkpoint import open_checkpoint
from whisper_models.convert.openvino import bytes_needed, check, convert
from whisper_models.convert.openvino.constants import STORAGE
from whisper_models.convert.openvino.decoder import decoder
from whisper_models.convert.openvino.encoder import encoder
from whisper_models.convert.openvino.rounding import rounded
from whisper_models.convert.weights import Array
from whisper_models.errors import ConversionFailed, Incomplete, UnsupportedCheckpoint

from tests.support import random_checkpoint
from tests.support.artifacts import converted_folder
from tests.support.weights import hf_folder
from tests.support.whisper_reference import Reference
from tests.support.words import JFK, JFK_WORDS, word_errors

PRECISIONS = OFFERED[Format.OPENVINO]
LANGUAGE: dict[str, dict[str, str]] = {"tiny.en": {}, "base": {"language": "<|en|>", "task": "transcribe"}}
MEL_BINS = 128  # as large-v3 has


@pytest.fixture(params=["tiny.en", "base"])
def model(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def folder(model: str, precision: str) -> Path:
    return converted_folder(model, Format.OPENVINO, precision)


@pytest.mark.parametrize(
    ("model", "precision"), [("tiny.en", "fp16"), ("tiny.en", "int8"), ("tiny.en", "int4"), ("base", "int8")]
)
def test_openvino_genai_hears_every_word_and_when(model: str, precision: str) -> None:
    import openvino_genai  # noqa: PLC0415 - loads its library only where it is used

    audio = soundfile.read(JFK, dtype="float32")[0]
    pipeline = openvino_genai.WhisperPipeline(str(folder(model, precision)), "CPU", word_timestamps=True)
    heard = pipeline.generate(audio, return_timestamps=True, word_timestamps=True, **LANGUAGE[model])
    assert word_errors(JFK_WORDS, heard.texts[0]) == 0, heard.texts[0]  # INT4 included, as measured
    assert word_errors(JFK_WORDS, " ".join(word.word for word in heard.words)) == 0
    assert all(before.start_ts <= after.start_ts for before, after in pairwise(heard.words))
    assert 10.0 < heard.words[-1].end_ts < 11.0


def test_the_tokenizer_agrees_with_the_checkpoints_own(model: str) -> None:
    import openvino_genai  # noqa: PLC0415 - loads its library only where it is used
    from tokenizers import Tokenizer  # noqa: PLC0415 - the same

    ours = openvino_genai.Tokenizer(str(folder(model, "int8")))
    theirs = Tokenizer.from_file(str(hf_folder(model) / "tokenizer.json"))
    text = " He said: “don't”, 12 naïve 猫 🐈 cases."
    ids = theirs.encode(text, add_special_tokens=False).ids
    assert ours.encode(text, add_special_tokens=False).input_ids.data[0].tolist() == ids
    marked = theirs.encode(text).ids
    assert ours.encode(text).input_ids.data[0].tolist() == marked
    assert ours.decode(marked) == text


def matrices() -> Iterator[tuple[str, Array]]:
    """Every matrix of tiny.en that is stored in fewer bits."""
    weights = open_checkpoint(hf_folder("tiny.en")).weights
    for name in weights:
        if len(weights.shape(name)) == 2 and "embed_positions" not in name:
            yield name, weights[name]


@pytest.mark.parametrize(("mode", "bits", "group"), [("int8_asym", 8, -1), ("int4_asym", 4, 64)])
def test_rounding_is_nncfs_tensor_by_tensor(mode: str, bits: int, group: int) -> None:
    from nncf import CompressWeightsMode  # noqa: PLC0415 - loads much, and only here
    from nncf.quantization.algorithms.weight_compression.config import WeightCompressionConfig  # noqa: PLC0415 - the same
    from nncf.quantization.algorithms.weight_compression.weight_lowering import compress_weight  # noqa: PLC0415 - the same
    from nncf.tensor import Tensor  # noqa: PLC0415 - the same

    config = WeightCompressionConfig(CompressWeightsMode(mode), group)
    for name, matrix in matrices():
        theirs = compress_weight(Tensor(matrix), (1,), config)
        ours = rounded(matrix, bits, matrix.shape[1] if group < 0 else group)
        values, zeros = (np.asarray(part.data).reshape(-1) for part in (theirs.tensor, theirs.zero_point))
        assert np.array_equal(ours.zeros.reshape(-1), zeros), name
        apart = np.abs(ours.values.reshape(-1).astype(int) - values)
        assert apart.max() <= 1, name
        assert (apart != 0).mean() < 1e-4, name  # where a number lies half-way, either is as near
        steps = np.asarray(theirs.scale.data).reshape(-1).astype(np.float16)
        assert np.array_equal(ours.steps.reshape(-1), steps), name


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_space_asked_for_is_enough_and_not_much_more(model: str, precision: str) -> None:
    size = sum(path.stat().st_size for path in folder(model, precision).iterdir())
    assert size <= bytes_needed(hf_folder(model), Precision(precision)) < 1.4 * size + (17 << 20)


@pytest.fixture
def large(tmp_path: Path) -> tuple[random_checkpoint.Tensors, Path]:
    tensors = random_checkpoint.random_tensors(mel_bins=MEL_BINS)
    return tensors, random_checkpoint.write_whole(tmp_path / "hf", tensors, mel_bins=MEL_BINS)


@pytest.fixture
def made(large: tuple[random_checkpoint.Tensors, Path], tmp_path: Path) -> Callable[[Precision], Path]:
    def run(precision: Precision) -> Path:
        target = tmp_path / precision
        target.mkdir()
        convert(large[1], target, precision)
        return target

    return run


def answer(graph: Any, inputs: dict[str, Any]) -> NDArray[np.float32]:
    """What a graph, read or built, says on the CPU in float32."""
    compiled = ov.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found: NDArray[np.float32] = compiled.create_infer_request().infer(inputs)[0]
    return found


def heard_and_said(heard: Any, said: Any, mel: Array, tokens: list[int]) -> tuple[Array, Array]:
    hidden = answer(heard, {"input_features": mel[None]})
    inputs = {"input_ids": np.array([tokens]), "encoder_hidden_states": hidden, "beam_idx": np.zeros(1, np.int32)}
    return hidden[0], answer(said, inputs)[0]


def graphs_in(target: Path) -> tuple[Path, Path]:
    return target / "openvino_encoder_model.xml", target / "openvino_decoder_model.xml"


def away(found: Array, expected: Array) -> float:
    """The largest difference, as a part of the largest number."""
    return float(np.abs(found - expected).max() / np.abs(expected).max())


TOKENS = [1, 2, 3]


@pytest.fixture
def mel() -> Array:
    return np.random.default_rng(1).standard_normal((MEL_BINS, 2 * random_checkpoint.WINDOW)).astype(np.float32)


@pytest.mark.parametrize(("precision", "tolerance"), [("fp16", 1e-3), ("int8", 0.05), ("int4", 0.4)])
def test_a_model_with_128_mel_bins_agrees_with_the_reference(
    large: tuple[random_checkpoint.Tensors, Path],
    made: Callable[[Precision], Path],
    mel: Array,
    precision: str,
    tolerance: float,
) -> None:
    target = made(Precision(precision))
    check(target, open_checkpoint(large[1]))
    hidden, logits = heard_and_said(*graphs_in(target), mel, TOKENS)
    reference = Reference(large[0], random_checkpoint.HEADS)
    expected = reference.encode(mel)
    assert away(hidden, expected) < tolerance
    assert away(logits, reference.decode(TOKENS, hidden)[0]) < tolerance


@pytest.mark.parametrize(("precision", "mode"), [("int8", {}), ("int4", {"group_size": 64, "all_layers": False})])
def test_whole_graphs_say_what_nncfs_say(
    large: tuple[random_checkpoint.Tensors, Path], mel: Array, precision: str, mode: dict[str, Any]
) -> None:
    import nncf  # noqa: PLC0415 - loads much, and only here

    checkpoint = open_checkpoint(large[1])
    kind = nncf.CompressWeightsMode.INT4_ASYM if mode else nncf.CompressWeightsMode.INT8_ASYM
    plain, storage = STORAGE[Precision.FP16], STORAGE[Precision(precision)]
    heard, said = (nncf.compress_weights(build(checkpoint, plain), mode=kind, **mode) for build in (encoder, decoder))
    theirs = heard_and_said(heard, said, mel, TOKENS)
    ours = heard_and_said(encoder(checkpoint, storage), decoder(checkpoint, storage), mel, TOKENS)
    for mine, other in zip(
        ours, theirs, strict=True
    ):  # nncf rounds convolutions and positions too, and in 4 bits not the encoder's last matrix
        assert away(mine, other) < (0.4 if mode else 0.1)


def test_shards_give_the_same_files(
    large: tuple[random_checkpoint.Tensors, Path], made: Callable[[Precision], Path], tmp_path: Path
) -> None:
    whole = made(Precision.INT4)
    sharded = tmp_path / "sharded"
    sharded.mkdir()
    convert(random_checkpoint.write_sharded(tmp_path / "shards", large[0], mel_bins=MEL_BINS), sharded, Precision.INT4)
    assert {path.name: path.read_bytes() for path in whole.iterdir()} == {
        path.name: path.read_bytes() for path in sharded.iterdir()
    }


def test_an_untied_output_matrix_is_used(tmp_path: Path, mel: Array) -> None:
    tensors = random_checkpoint.random_tensors(mel_bins=MEL_BINS)
    tensors["proj_out.weight"] = tensors["model.decoder.embed_tokens.weight"][::-1].copy()
    source = random_checkpoint.write_whole(tmp_path / "hf", tensors, mel_bins=MEL_BINS)
    target = tmp_path / "made"
    target.mkdir()
    convert(source, target, Precision.FP16)
    check(target, open_checkpoint(source))
    hidden, logits = heard_and_said(*graphs_in(target), mel, TOKENS)
    del tensors["proj_out.weight"]
    tied = Reference(tensors, random_checkpoint.HEADS).decode(TOKENS, hidden)[0]
    assert away(logits[:, ::-1], tied) < 1e-3


@pytest.mark.parametrize(
    ("file", "content", "failure"),
    [
        ("tokenizer.json", json.dumps({"model": {"type": "WordPiece"}}), UnsupportedCheckpoint),
        ("tokenizer.json", json.dumps({"model": {"type": "BPE"}}), UnsupportedCheckpoint),
        ("tokenizer.json", json.dumps({"model": {"type": "BPE"}, "added_tokens": [1]}), UnsupportedCheckpoint),
        ("tokenizer_config.json", "{}", UnsupportedCheckpoint),
        ("tokenizer_config.json", json.dumps({"eos_token": "<|none|>"}), UnsupportedCheckpoint),
        ("tokenizer_config.json", None, Incomplete),
        ("preprocessor_config.json", None, Incomplete),
    ],
)
def test_what_is_missing_or_not_whispers_is_named(
    large: tuple[random_checkpoint.Tensors, Path],
    made: Callable[[Precision], Path],
    file: str,
    content: str | None,
    failure: type[Exception],
) -> None:
    path = large[1] / file
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(failure, match=file.partition("_")[0]):
        made(Precision.FP16)


def _cut(target: Path) -> None:
    path = target / "openvino_decoder_model.bin"
    path.write_bytes(path.read_bytes()[:-64])


def _no_xml(target: Path) -> None:
    (target / "openvino_encoder_model.xml").write_text("<net")


def _renamed_output(target: Path) -> None:
    _replace(target / "openvino_encoder_model.xml", "last_hidden_state", "last_hidden")


def _renamed_weight(target: Path) -> None:
    _replace(target / "openvino_decoder_model.xml", "model.decoder.layers.1.fc1.weight", "other")


def _no_tokenizer(target: Path) -> None:
    (target / "openvino_tokenizer.xml").unlink()


def _other_tokenizer(target: Path) -> None:
    for kind in ("xml", "bin"):
        (target / f"openvino_detokenizer.{kind}").replace(target / f"openvino_tokenizer.{kind}")


def _replace(path: Path, old: str, new: str) -> None:
    content = path.read_text()
    assert old in content
    path.write_text(content.replace(old, new))


@pytest.mark.parametrize(
    "damage",
    [_cut, _no_xml, _renamed_output, _renamed_weight, _no_tokenizer, _other_tokenizer],
    ids=lambda it: it.__name__,
)
def test_graphs_that_are_not_sound_do_not_pass(
    large: tuple[random_checkpoint.Tensors, Path],
    made: Callable[[Precision], Path],
    damage: Callable[[Path], None],
) -> None:
    target = made(Precision.INT4)
    damage(target)
    with pytest.raises(ConversionFailed):
        check(target, open_checkpoint(large[1]))


def test_a_graph_of_another_size_does_not_pass(made: Callable[[Precision], Path], tmp_path: Path) -> None:
    tensors = random_checkpoint.random_tensors(mel_bins=80)
    other = random_checkpoint.write_whole(tmp_path / "other", tensors, mel_bins=80)
    with pytest.raises(ConversionFailed, match="128"):
        check(made(Precision.FP16), open_checkpoint(other))
