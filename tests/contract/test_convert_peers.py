"""The formats of other engines, made without torch, in the engines themselves."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from whisper_models.artifact import Precision
from whisper_models.convert.ggml import mel_filters, write_ggml
from whisper_models.convert.ggml_quantize import BLOCK_TYPES, quantize_ggml
from whisper_models.convert.openvino import write_openvino

from tests.support.weights import hf_folder
from tests.support.words import JFK, JFK_WORDS, word_errors

Waveform = NDArray[np.float32]
LANGUAGE: dict[str, dict[str, str]] = {"tiny.en": {}, "base": {"language": "<|en|>", "task": "transcribe"}}


@pytest.fixture(scope="module")
def jfk() -> Waveform:
    samples: Waveform = soundfile.read(JFK, dtype="float32")[0]
    return samples


@pytest.fixture(scope="module", params=["tiny.en", "base"])
def model(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def ggml(model: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("ggml") / f"{model}.bin"
    write_ggml(hf_folder(model), file)
    return file


@pytest.fixture(scope="module")
def openvino(model: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("openvino")
    write_openvino(hf_folder(model), folder, Precision.FP16)
    return folder


def heard_by_whisper_cpp(file: Path, audio: Waveform) -> str:
    from pywhispercpp.model import Model  # noqa: PLC0415 - loads its library only where it is used

    engine = Model(str(file), n_threads=1, print_progress=False, print_realtime=False, redirect_whispercpp_logs_to=None)
    return " ".join(segment.text for segment in engine.transcribe(audio, language="en", temperature_inc=0.0))


def heard_by_openvino(folder: Path, model: str, audio: Waveform, **more: bool) -> Any:
    import openvino_genai  # noqa: PLC0415 - loads its library only where it is used

    pipeline = openvino_genai.WhisperPipeline(str(folder), "CPU", INFERENCE_NUM_THREADS=1, **more)
    return pipeline.generate(audio, return_timestamps=True, **more, **LANGUAGE[model])


def test_whisper_cpp_hears_every_word_in_f16(ggml: Path, jfk: Waveform) -> None:
    assert word_errors(JFK_WORDS, heard_by_whisper_cpp(ggml, jfk)) == 0


def test_whisper_cpp_hears_every_word_of_what_its_own_library_quantised(
    ggml: Path, jfk: Waveform, tmp_path: Path
) -> None:
    smaller = tmp_path / "smaller.bin"
    quantize_ggml(ggml, smaller, Precision.Q8_0)
    assert smaller.stat().st_size < 0.6 * ggml.stat().st_size
    assert word_errors(JFK_WORDS, heard_by_whisper_cpp(smaller, jfk)) == 0


def test_the_fewer_bits_the_smaller_the_file(ggml: Path, tmp_path: Path) -> None:
    sizes = {}
    for precision in BLOCK_TYPES:
        quantize_ggml(ggml, tmp_path / precision, precision)
        sizes[precision] = (tmp_path / precision).stat().st_size
    assert sizes[Precision.Q4_0] < sizes[Precision.Q5_0] < sizes[Precision.Q8_0]


def test_openvino_hears_every_word_in_int8(model: str, jfk: Waveform, tmp_path: Path) -> None:
    write_openvino(hf_folder(model), tmp_path, Precision.INT8)
    assert word_errors(JFK_WORDS, heard_by_openvino(tmp_path, model, jfk).texts[0]) == 0


def test_openvino_hears_every_word_in_fp16_and_when(openvino: Path, model: str, jfk: Waveform) -> None:
    words = heard_by_openvino(openvino, model, jfk, word_timestamps=True).words
    assert word_errors(JFK_WORDS, " ".join(word.word for word in words)) == 0
    assert all(before.start_ts <= after.start_ts for before, after in pairwise(words))
    assert 10.0 < words[-1].end_ts < 11.0


def test_openvino_tokenizer_agrees_with_the_checkpoints_own(openvino: Path, model: str) -> None:
    import openvino_genai  # noqa: PLC0415 - loads its library only where it is used
    from tokenizers import Tokenizer  # noqa: PLC0415 - the same

    ours = openvino_genai.Tokenizer(str(openvino))
    theirs = Tokenizer.from_file(str(hf_folder(model) / "tokenizer.json"))
    text = " He said: “don't”, 12 naïve 猫 🐈 cases."
    ids = theirs.encode(text, add_special_tokens=False).ids
    assert ours.encode(text, add_special_tokens=False).input_ids.data[0].tolist() == ids
    marked = theirs.encode(text).ids
    assert ours.encode(text).input_ids.data[0].tolist() == marked
    assert ours.decode(marked) == text


@pytest.mark.parametrize("bins", [80, 128])
def test_mel_filters_are_those_that_an_independent_implementation_computes(bins: int) -> None:
    from faster_whisper.feature_extractor import FeatureExtractor  # noqa: PLC0415 - a peer, only here

    theirs = FeatureExtractor(feature_size=bins).mel_filters
    assert abs(mel_filters(bins) - theirs).max() < 1e-6
