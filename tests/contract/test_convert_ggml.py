"""The GGML files are those that whisper.cpp's authors publish; what they cost in words, `test_formats` says."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from whisper_models.artifact import OFFERED, Format, Precision, Variant
from whisper_models.convert.checkpoint import open_checkpoint
from whisper_models.convert.ggml import bytes_needed, check, convert, quantiser
from whisper_models.convert.ggml.reader import contents
from whisper_models.convert.ggml.tensors import placed
from whisper_models.convert.ggml.types import F32, FILE_TYPES
from whisper_models.convert.mel import mel_filters
from whisper_models.errors import ConversionFailed, LibraryMissing, UnsupportedCheckpoint
from whisper_models.store import UnifiedModelManager

from tests.support import random_checkpoint
from tests.support.artifacts import store_with
from tests.support.weights import hf_folder

PRECISIONS = OFFERED[Format.GGML]

PUBLISHED = {
    ("tiny.en", "fp16"): "921e4cf8686fdd993dcd081a5da5b6c365bfde1162e72b08d75ac75289920b1f",
    ("tiny.en", "q8_0"): "5bc2b3860aa151a4c6e7bb095e1fcce7cf12c7b020ca08dcec0c6d018bb7dd94",
    ("base", "fp16"): "60ed5bc3dd14eea856493d334349b405782ddcaf0028d4b5df4088345fba2efe",
    ("base", "q8_0"): "c577b9a86e7e048a0b7eada054f4dd79a56bbfa911fbdacf900ac5b567cbb7d9",
}
"""The sha256 of the files in the repository ggerganov/whisper.cpp on the Hub, which whisper.cpp's own tools made from
OpenAI's checkpoints. Its q5_1 come from an older quantiser, which rounded a few numbers otherwise; the other precisions
are not published for these sizes."""


def ggml(model: str, precision: str) -> Path:
    variant = Variant(model, Format.GGML, Precision(precision))
    return UnifiedModelManager(store_with(variant)).file(variant)


@pytest.fixture(params=["tiny.en", "base"])
def model(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize(("model", "precision"), PUBLISHED)
def test_the_file_is_byte_for_byte_the_one_that_whisper_cpps_authors_publish(model: str, precision: str) -> None:
    variant = Variant(model, Format.GGML, Precision(precision))
    manifest = UnifiedModelManager(store_with(variant)).manifest(variant)
    assert manifest is not None
    assert [entry.sha256 for entry in manifest.files] == [PUBLISHED[model, precision]]


MATRIX, SOURCE = "decoder.blocks.1.mlp.0.weight", "model.decoder.layers.1.fc1.weight"


@pytest.mark.parametrize("precision", [one for one in PRECISIONS if one.value.startswith("q")])
def test_what_is_quantised_is_the_checkpoints_to_half_a_step(precision: str) -> None:
    path = ggml("tiny.en", precision)
    stored = contents(path).tensors[MATRIX]
    packed = np.frombuffer(path.read_bytes()[stored.offset :][: stored.size], np.uint8)
    values, step = unpacked(packed.reshape(-1, stored.kind.block_bytes), precision)
    original = open_checkpoint(hf_folder("tiny.en")).weights[SOURCE]
    away = np.abs(values.reshape(-1, 32) - original.reshape(-1, 32))
    # symmetric ones have one level less on one side, so the number that is furthest out may be a whole step away
    assert (away <= step * 1.01 + 1e-4).all()
    assert (np.median(away / step) < 0.3).all()


@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_tensor_is_the_checkpoints(tmp_path: Path, precision: Precision) -> None:
    """Of the small random one, so that all of them are looked at in each precision."""
    tensors, path = random_checkpoint.random_tensors(mel_bins=80), tmp_path / "made.bin"
    source = random_checkpoint.write_whole(tmp_path / "hf", tensors, mel_bins=80)
    convert(source, path, precision)
    stored, content = contents(path).tensors, path.read_bytes()
    for one in placed(open_checkpoint(source), FILE_TYPES[precision].matrices):
        there, original = stored[one.name], tensors[one.source].astype(np.float32)
        packed = np.frombuffer(content, np.uint8, there.size, there.offset)
        if one.kind.block > 1:
            values, step = unpacked(packed.reshape(-1, one.kind.block_bytes), precision)
            away = np.abs(values.reshape(-1, 32) - original.reshape(-1, 32))
            assert (away <= step * 1.01 + 1e-4).all(), one.name
            assert np.median(away / step) < 0.3, one.name
        else:
            assert np.array_equal(packed.view("<f4" if one.kind is F32 else "<f2"), original.reshape(-1)), one.name
    assert {one.source for one in placed(open_checkpoint(source), F32)} == tensors.keys()


def unpacked(blocks: NDArray[np.uint8], precision: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(numbers, step) of each block, as ggml's documentation of the formats says."""
    floats = blocks[:, :4].copy().view("<f2").astype(np.float32)
    step, low = np.abs(floats[:, :1]), floats[:, 1:]
    if precision == "q8_0":
        return blocks[:, 2:].view(np.int8) * floats[:, :1], step
    nibbles = blocks[:, -16:]
    levels = np.concatenate([nibbles & 15, nibbles >> 4], axis=1).astype(np.float32)
    if "q5" in precision:
        fifth = np.unpackbits(blocks[:, -20:-16], axis=1, bitorder="little")
        levels += 16 * fifth
    if precision.endswith("_1"):
        return levels * floats[:, :1] + low, step
    return (levels - (16 if "q5" in precision else 8)) * floats[:, :1], step


def test_the_space_asked_for_is_enough_and_not_much_more(model: str) -> None:
    for precision in PRECISIONS:
        size = ggml(model, precision).stat().st_size
        assert size <= bytes_needed(hf_folder(model), precision) < 1.25 * size + (1 << 20)


@pytest.mark.parametrize("bins", [80, 128])
def test_mel_filters_are_those_that_an_independent_implementation_computes(bins: int) -> None:
    from faster_whisper.feature_extractor import FeatureExtractor  # noqa: PLC0415 - a peer, only here

    theirs = FeatureExtractor(feature_size=bins).mel_filters
    assert abs(mel_filters(bins) - theirs).max() < 1e-6


@pytest.fixture(params=PRECISIONS, ids=str)
def large(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path]:
    """A small random checkpoint with 128 mel bins, as large-v3 has, and its file."""
    tensors = random_checkpoint.random_tensors(mel_bins=128)
    source = random_checkpoint.write_whole(tmp_path / "hf", tensors, mel_bins=128)
    convert(source, tmp_path / "model.bin", request.param)
    return source, tmp_path / "model.bin"


def test_a_model_with_128_mel_bins_converts(large: tuple[Path, Path]) -> None:
    source, file = large
    check(file, open_checkpoint(source))
    assert contents(file).header[-2] == 128
    assert len(contents(file).filters) == 128 * 201 * 4


def test_shards_and_wider_numbers_give_the_same_file(tmp_path: Path) -> None:
    tensors = random_checkpoint.random_tensors(mel_bins=80)
    wide = {name: array.astype(np.float32) for name, array in tensors.items()}
    sources = [
        random_checkpoint.write_whole(tmp_path / "f16", tensors, mel_bins=80),
        random_checkpoint.write_whole(tmp_path / "f32", wide, mel_bins=80),
        random_checkpoint.write_sharded(tmp_path / "shards", tensors, mel_bins=80),
    ]
    for source in sources:
        convert(source, source / "made.bin", Precision.Q5_0)
    files = {(source / "made.bin").read_bytes() for source in sources}
    assert len(files) == 1


def test_bfloat16_is_read_for_what_it_is(tmp_path: Path) -> None:
    rounded = {
        name: (array.astype(np.float32).view(np.uint32) >> 16 << 16).view(np.float32)
        for name, array in random_checkpoint.random_tensors(mel_bins=80).items()
    }
    source = random_checkpoint.write_whole(tmp_path / "f32", rounded, mel_bins=80)
    brief = random_checkpoint.write_whole(tmp_path / "bf16", rounded, mel_bins=80)
    _write_bfloat16(brief / "model.safetensors", rounded)
    for folder in (source, brief):
        convert(folder, folder / "made.bin", Precision.FP16)
    assert (source / "made.bin").read_bytes() == (brief / "made.bin").read_bytes()


def _write_bfloat16(path: Path, tensors: random_checkpoint.Tensors) -> None:
    header, data = {}, b""
    for name, array in tensors.items():
        stored = (array.view(np.uint32) >> 16).astype("<u2").tobytes()
        offsets = [len(data), len(data) + len(stored)]
        header[name] = {"dtype": "BF16", "shape": list(array.shape), "data_offsets": offsets}
        data += stored
    encoded = json.dumps(header).encode()
    path.write_bytes(len(encoded).to_bytes(8, "little") + encoded + data)


def _untie(tensors: random_checkpoint.Tensors) -> None:
    tensors["proj_out.weight"] = tensors["model.decoder.embed_tokens.weight"] + np.float16(1)


def _add(tensors: random_checkpoint.Tensors) -> None:
    tensors["model.decoder.adapter.weight"] = np.ones((2, 2), np.float16)


def _lose(tensors: random_checkpoint.Tensors) -> None:
    del tensors["model.decoder.layers.1.encoder_attn.v_proj.bias"]


def _overflow(tensors: random_checkpoint.Tensors) -> None:
    name = "model.encoder.conv1.weight"
    tensors[name] = tensors[name].astype(np.float32)
    tensors[name][0, 0, 0] = 1e5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_untie, "differs from the token embedding"),
        (_add, "adapter.weight has no place"),
        (_lose, "no tensor model.decoder.layers.1.encoder_attn.v_proj.bias"),
        (_overflow, "float16 cannot hold"),
    ],
)
def test_what_whisper_cpp_has_no_place_for_is_refused(
    tmp_path: Path, change: Callable[[random_checkpoint.Tensors], None], said: str
) -> None:
    tensors = random_checkpoint.random_tensors(mel_bins=80)
    change(tensors)
    source = random_checkpoint.write_whole(tmp_path / "hf", tensors, mel_bins=80)
    with pytest.raises(UnsupportedCheckpoint, match=said):
        convert(source, tmp_path / "made.bin", Precision.Q5_0)


def test_rows_that_are_not_whole_blocks_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random_checkpoint, "INNER", 100)
    tensors = random_checkpoint.random_tensors(mel_bins=80)
    source = random_checkpoint.write_whole(tmp_path / "hf", tensors, mel_bins=80)
    with pytest.raises(UnsupportedCheckpoint, match="rows of 100 numbers"):
        convert(source, tmp_path / "made.bin", Precision.Q5_0)
    convert(source, tmp_path / "made.bin", Precision.FP16)


def test_an_output_matrix_that_only_repeats_the_token_embedding_is_left_out(tmp_path: Path) -> None:
    tensors = random_checkpoint.random_tensors(mel_bins=80)
    tensors["proj_out.weight"] = tensors["model.decoder.embed_tokens.weight"].copy()
    source = random_checkpoint.write_whole(tmp_path / "hf", tensors, mel_bins=80)
    convert(source, tmp_path / "made.bin", Precision.FP16)
    check(tmp_path / "made.bin", open_checkpoint(source))


@pytest.mark.parametrize(
    "tokenizer",
    [
        "nonsense",
        "[]",
        json.dumps({"model": {"type": "Unigram"}}),
        json.dumps({"model": {"type": "BPE", "vocab": {"a": 0, "b": 2}}, "added_tokens": []}),
        json.dumps({"model": {"type": "BPE", "vocab": {"猫": 0}}, "added_tokens": []}),
    ],
)
def test_a_tokenizer_that_is_not_whispers_is_refused(tmp_path: Path, tokenizer: str) -> None:
    tensors = random_checkpoint.random_tensors(mel_bins=80)
    source = random_checkpoint.write_whole(tmp_path / "hf", tensors, mel_bins=80)
    (source / "tokenizer.json").write_text(tokenizer)
    with pytest.raises(UnsupportedCheckpoint, match=r"tokenizer\.json"):
        convert(source, tmp_path / "made.bin", Precision.FP16)


def test_without_pywhispercpp_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_name: str) -> None:
        raise importlib.metadata.PackageNotFoundError

    quantiser.library.cache_clear()
    monkeypatch.setattr(importlib.metadata, "files", nothing)
    tensors = random_checkpoint.random_tensors(mel_bins=80)
    source = random_checkpoint.write_whole(tmp_path / "hf", tensors, mel_bins=80)
    with pytest.raises(LibraryMissing, match=r"whisper-models\[tools\]"):
        convert(source, tmp_path / "made.bin", Precision.Q4_0)


def _cut(content: bytearray) -> None:
    del content[-1:]


def _append(content: bytearray) -> None:
    content += b"\0" * 12


def _other_width(content: bytearray) -> None:
    content[12:16] = (128).to_bytes(4, "little")


def _other_type(content: bytearray) -> None:
    content[44:48] = (2002).to_bytes(4, "little")


def _other_filters(content: bytearray) -> None:
    content[56 + 400] ^= 64


def _rename(content: bytearray) -> None:
    place = content.index(b"encoder.ln_post.bias")
    content[place] = ord("f")


def _lose_one(content: bytearray) -> None:
    del content[content.index(b"encoder.ln_post.bias") - 16 :]


@pytest.mark.parametrize(
    "damage", [_cut, _append, _other_width, _other_type, _other_filters, _rename, _lose_one], ids=lambda it: it.__name__
)
def test_a_file_that_is_not_sound_does_not_pass(tmp_path: Path, damage: Callable[[bytearray], None]) -> None:
    tensors = random_checkpoint.random_tensors(mel_bins=80)
    source = random_checkpoint.write_whole(tmp_path / "hf", tensors, mel_bins=80)
    file = tmp_path / "made.bin"
    convert(source, file, Precision.FP16)
    content = bytearray(file.read_bytes())
    damage(content)
    file.write_bytes(content)
    with pytest.raises(ConversionFailed, match=r"made\.bin"):
        check(file, open_checkpoint(source))
