"""The formats of other engines, made without torch, in the engines themselves."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from whisper_models.artifact import Precision
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
def openvino(model: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("openvino")
    write_openvino(hf_folder(model), folder, Precision.FP16)
    return folder


def heard_by_openvino(folder: Path, model: str, audio: Waveform, **more: bool) -> Any:
    import openvino_genai  # noqa: PLC0415 - loads its library only where it is used

    pipeline = openvino_genai.WhisperPipeline(str(folder), "CPU", INFERENCE_NUM_THREADS=1, **more)
    return pipeline.generate(audio, return_timestamps=True, **more, **LANGUAGE[model])


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
