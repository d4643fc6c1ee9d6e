from pathlib import Path

import pytest
from whisper_models.artifact import Precision
from whisper_models.convert.ggml import convert
from whisper_models.convert.ggml.reader import contents

from benchmarks.models.likeness import SAME, compared
from tests.support import random_checkpoint


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """Two equal GGML files."""
    (tmp_path / "source").mkdir()
    random_checkpoint.write_whole(tmp_path / "source", random_checkpoint.random_tensors(80), 80)
    for name in ("ours", "theirs"):
        convert(tmp_path / "source", tmp_path / name, Precision.FP16)
    return tmp_path / "ours", tmp_path / "theirs"


def test_equal_files_are_called_so(pair: tuple[Path, Path]) -> None:
    assert compared(*pair) == SAME


def test_a_tensor_that_differs_is_named(pair: tuple[Path, Path]) -> None:
    ours, theirs = pair
    tensors = contents(ours).tensors
    altered = bytearray(ours.read_bytes())
    altered[tensors["encoder.ln_post.bias"].offset] ^= 1
    theirs.write_bytes(altered)
    assert compared(ours, theirs) == f"different: 1 of {len(tensors)} tensors (encoder.ln_post.bias, …)"


def test_a_header_that_differs_is_named(pair: tuple[Path, Path]) -> None:
    ours, theirs = pair
    altered = bytearray(ours.read_bytes())
    altered[4] ^= 1
    theirs.write_bytes(altered)
    assert compared(ours, theirs) == "every tensor the same; different: header"


def test_filters_that_are_equal_as_numbers_are_told_apart_from_others(pair: tuple[Path, Path]) -> None:
    ours, theirs = pair
    filters = contents(ours).filters
    altered = bytearray(ours.read_bytes())
    start = altered.index(filters)
    assert filters[:4] == bytes(4)
    altered[start + 3] |= 0x80  # minus nought
    theirs.write_bytes(altered)
    assert compared(ours, theirs) == "every tensor the same; different: the sign of noughts in the filters"
    altered[start + 2] |= 0x80
    theirs.write_bytes(altered)
    assert compared(ours, theirs) == "every tensor the same; different: filters"
