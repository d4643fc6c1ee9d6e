"""The reader of safetensors: exact in every precision, and never led astray by a header."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file
from whisper_models.convert.weights import Weights
from whisper_models.errors import Incomplete, UnsupportedCheckpoint

ARRAY = np.array([[1.5, -2.25], [0.0, 3.0e-5]], np.float32)


def _written(folder: Path, header: object, data: bytes = b"\0" * 16) -> Path:
    encoded = header if isinstance(header, bytes) else json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(len(encoded).to_bytes(8, "little") + encoded + data)
    return folder


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_numbers_are_read_exactly(tmp_path: Path, dtype: type[np.floating[Any]]) -> None:
    stored = ARRAY.astype(dtype)
    save_file({"odd": np.ones(3, dtype), "a": stored}, tmp_path / "model.safetensors")
    weights = Weights(tmp_path)
    assert weights["a"].dtype == np.float32
    assert np.array_equal(weights["a"], stored.astype(np.float32))
    assert weights.parameters == 7


def test_bfloat16_is_the_upper_half_of_a_float(tmp_path: Path) -> None:
    upper = (ARRAY.view(np.uint32) >> 16).astype("<u2")
    header = {"a": {"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, 8]}}
    found = Weights(_written(tmp_path, header, upper.tobytes()))["a"]
    assert np.array_equal(found.view(np.uint32) >> 16, upper)
    assert np.allclose(found, ARRAY, rtol=2**-7)


def _entry(**changes: object) -> dict[str, dict[str, object]]:
    return {"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16], **changes}}


@pytest.mark.parametrize(
    "header",
    [
        _entry(data_offsets=[0, 17]),
        _entry(data_offsets=[-16, 0]),
        _entry(data_offsets=[16, 0]),
        _entry(shape=[2, 3]),
        _entry(shape=[-2, -2]),
        _entry(shape=[2**40, 2**40]),
        _entry(dtype="I64"),
        {"a": 1},
        [],
        b"\xff\xfe",
        b"[" * 5000,
    ],
    ids=str,
)
def test_a_header_that_does_not_fit_its_file_is_refused(tmp_path: Path, header: object) -> None:
    with pytest.raises(UnsupportedCheckpoint, match=r"model\.safetensors"):
        Weights(_written(tmp_path, header))


def test_a_header_longer_than_its_file_allocates_nothing(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes((2**62).to_bytes(8, "little") + b"{}")
    with pytest.raises(UnsupportedCheckpoint, match="does not fit"):
        Weights(tmp_path)


@settings(deadline=None)
@given(content=st.binary(max_size=300))
def test_arbitrary_bytes_are_refused_or_read_not_crashed_on(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "model.safetensors").write_bytes(content)
    try:
        for array in Weights(folder).values():
            assert array.nbytes <= len(content) * 2
    except UnsupportedCheckpoint:
        pass


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    index = {"weight_map": {"a": "model-00001-of-00001.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(Incomplete, match="model-00001-of-00001"):
        Weights(tmp_path)


def test_a_folder_without_safetensors_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedCheckpoint, match="only safetensors"):
        Weights(tmp_path)
