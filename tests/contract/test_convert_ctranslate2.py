"""The CTranslate2 files are those that its own converter wrote, and faster-whisper hears every word with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
import pytest
from faster_whisper import WhisperModel
from safetensors.numpy import save_file
from whisper_models.artifact import OFFERED, Format, Precision
from whisper_models.convert.checkpoint import open_checkpoint
from whisper_models.convert.ctranslate2 import bytes_needed, check, convert
from whisper_models.errors import ConversionFailed, UnsupportedCheckpoint

from tests.support import random_checkpoint
from tests.support.artifacts import converted_folder
from tests.support.weights import PARCELS, hf_folder
from tests.support.weights.ctranslate2 import Tensors, read
from tests.support.words import JFK, JFK_WORDS, word_errors

PRECISIONS = OFFERED[Format.CTRANSLATE2]
NEWER = {"decoder/alibi_use_positive_positions", "decoder/scale_alibi"}
"""Two switches, off, that the library writes since the originals were made."""


@pytest.fixture(params=["tiny.en", "base"])
def model(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def folder(model: str, precision: str) -> Path:
    return converted_folder(model, Format.CTRANSLATE2, precision)


def tensors(model: str, precision: str) -> Tensors:
    return read((folder(model, precision) / "model.bin").read_bytes())


def test_fp16_is_the_original_tensor_by_tensor(model: str) -> None:
    original, made = read(PARCELS[model].model_bin()), tensors(model, "fp16")
    assert made.keys() - original.keys() == NEWER
    assert not any(made[name] for name in NEWER)
    for name, array in original.items():
        assert (made[name].dtype, made[name].shape) == (array.dtype, array.shape), name
        assert np.array_equal(made[name], array), name


def test_vocabulary_and_settings_are_the_originals(model: str) -> None:
    original, made = PARCELS[model], folder(model, "fp16")
    tokens = original.file("vocabulary.txt").read_text(encoding="utf-8").split("\n")[:-1]
    assert json.loads((made / "vocabulary.json").read_text()) == tokens
    theirs, ours = (json.loads(path.read_text()) for path in (original.file("config.json"), made / "config.json"))
    if model == "tiny.en":  # the original forgot one language of the model that knows no other
        assert tokens[50258] == "<|en|>"
        theirs["lang_ids"].insert(0, 50258)
    assert ours == theirs


@pytest.mark.parametrize("precision", ["int8", "int8_float16"])
def test_int8_is_the_original_within_half_a_step_of_each_row(precision: str) -> None:
    original, made = read(PARCELS["tiny.en"].model_bin()), tensors("tiny.en", precision)
    rounded = [name for name in original if made[name].dtype == np.int8 and original[name].ndim > 1]
    assert len(rounded) == 2 + 1 + 4 * (4 + 7)  # convolutions, tokens, and each layer of encoder and decoder
    for name in rounded:
        rows = original[name].reshape(len(original[name]), -1).astype(np.float32)
        step = 1 / made[f"{name}_scale"][:, None]
        assert (abs(made[name].reshape(rows.shape) * step - rows) <= 0.5001 * step).all(), name
    rest = {made[name].dtype for name in original if original[name].dtype == np.float16 and name not in rounded}
    assert rest == {np.dtype(np.float32 if precision == "int8" else np.float16)}


@pytest.mark.parametrize("precision", PRECISIONS)
def test_faster_whisper_hears_every_word(model: str, precision: str) -> None:
    engine = WhisperModel(str(folder(model, precision)), device="cpu", cpu_threads=1, local_files_only=True)
    segments, _ = engine.transcribe(str(JFK), language="en", beam_size=1, word_timestamps=True)
    words = [word for segment in segments for word in segment.words or ()]
    assert word_errors(JFK_WORDS, "".join(word.word for word in words)) == 0
    assert 10.0 < words[-1].end < 11.5


def test_space_is_asked_for_as_it_is_used(model: str) -> None:
    for precision in PRECISIONS:
        used = sum(path.stat().st_size for path in folder(model, precision).iterdir())
        assert used <= bytes_needed(hf_folder(model), precision) < 1.4 * used


Small = Callable[..., Path]


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """Makes a small random checkpoint."""

    def write(mel_bins: int = 128, **generation: object) -> Path:
        source = random_checkpoint.write_whole(
            tmp_path / "hf", random_checkpoint.random_tensors(mel_bins=mel_bins), mel_bins=mel_bins
        )
        path = source / "generation_config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | generation))
        return source

    return write


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_model_with_128_mel_bins_converts_loads_and_hears(small: Small, tmp_path: Path, precision: Precision) -> None:
    source, target = small(), tmp_path / "made"
    target.mkdir()
    convert(source, target, precision)
    check(target, open_checkpoint(source))
    engine = ctranslate2.models.Whisper(str(target), device="cpu", compute_type="float32", intra_threads=1)
    assert engine.n_mels == 128
    mel = np.zeros((1, 128, 2 * random_checkpoint.WINDOW), np.float32)
    heard = np.array(engine.encode(ctranslate2.StorageView.from_array(mel)))
    assert heard.shape == (1, random_checkpoint.WINDOW, random_checkpoint.WIDTH)
    assert np.isfinite(heard).all()


def test_shards_convert_to_the_very_same_files(tmp_path: Path) -> None:
    tensors, made = random_checkpoint.random_tensors(mel_bins=80), []
    for write in (random_checkpoint.write_whole, random_checkpoint.write_sharded):
        target = tmp_path / write.__name__
        target.mkdir()
        convert(write(tmp_path / f"{target.name}-source", tensors, mel_bins=80), target, Precision.INT8)
        made.append({path.name: path.read_bytes() for path in target.iterdir()})
    assert made[0] == made[1]


@pytest.mark.parametrize(
    "generation",
    [{"suppress_tokens": [500]}, {"begin_suppress_tokens": [-1]}, {"lang_to_id": {"<|en|>": 10**9}}],
    ids=str,
)
def test_numbers_that_are_no_tokens_are_refused(small: Small, tmp_path: Path, generation: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedCheckpoint, match="generation_config"):
        convert(small(**generation), tmp_path, Precision.FP16)


def test_numbers_too_large_for_half_precision_are_refused(small: Small, tmp_path: Path) -> None:
    source = small()
    large = {name: array.astype(np.float32) for name, array in random_checkpoint.random_tensors(128).items()}
    large["model.encoder.conv1.bias"][3] = 1e5
    save_file(large, source / "model.safetensors")
    with pytest.raises(UnsupportedCheckpoint, match=r"conv1\.bias.*float16 cannot hold"):
        convert(source, tmp_path, Precision.FP16)


def _cut(target: Path) -> None:
    path = target / "model.bin"
    path.write_bytes(path.read_bytes()[:-1])


def _add(target: Path) -> None:
    path = target / "model.bin"
    path.write_bytes(path.read_bytes() + b"\0")


def _rename(target: Path) -> None:
    path = target / "model.bin"
    path.write_bytes(
        path.read_bytes().replace(b"encoder/layer_0/ffn/linear_0/bias", b"encoder/layer_0/ffn/linear_0/bios")
    )


def _lose_the_scale(target: Path) -> None:
    path = target / "model.bin"
    path.write_bytes(path.read_bytes().replace(b"conv2/weight_scale", b"conv2/weighd_scale"))


def _untie(target: Path) -> None:
    path = target / "model.bin"
    path.write_bytes(path.read_bytes().replace(b"decoder/projection/weight\0", b"decoder/projection/wright\0"))


def _lose_a_token(target: Path) -> None:
    path = target / "vocabulary.json"
    path.write_text(json.dumps(json.loads(path.read_text())[:-1]))


def _lose_a_setting(target: Path) -> None:
    path = target / "config.json"
    path.write_text(json.dumps({"lang_ids": []}))


def _garble(target: Path) -> None:
    (target / "config.json").write_text("{")


DAMAGES = (_cut, _add, _rename, _lose_the_scale, _untie, _lose_a_token, _lose_a_setting, _garble)


@pytest.fixture
def made(small: Small, tmp_path: Path) -> tuple[Path, Path]:
    source, target = small(), tmp_path / "made"
    target.mkdir()
    convert(source, target, Precision.INT8)
    return source, target


@pytest.mark.parametrize("damage", DAMAGES)
def test_files_that_are_not_sound_do_not_pass_the_check(
    made: tuple[Path, Path], damage: Callable[[Path], None]
) -> None:
    source, target = made
    check(target, open_checkpoint(source))
    damage(target)
    with pytest.raises(ConversionFailed):
        check(target, open_checkpoint(source))
