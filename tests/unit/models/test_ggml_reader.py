"""The reader of GGML files: whatever it is given, it answers or refuses by name, in little memory."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whisper_models.artifact import Precision
from whisper_models.convert.ggml import convert
from whisper_models.convert.ggml.reader import contents
from whisper_models.convert.ggml.types import MAGIC
from whisper_models.errors import ConversionFailed

from tests.support import random_checkpoint

HUGE = 2**31 - 1
MUCH = 1 << 20


def packed(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}i", *numbers)


HEADER = packed(MAGIC, *[1] * 11)
FRONT = HEADER + packed(0, 0, 0)  # neither filters nor tokens


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("ggml")
    tensors = random_checkpoint.random_tensors(mel_bins=80)
    convert(random_checkpoint.write_whole(folder / "hf", tensors, mel_bins=80), folder / "made.bin", Precision.Q5_1)
    return (folder / "made.bin").read_bytes()


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bytes], int]:
    """Reads bytes as a file; how many tensors it has, or -1 where it was refused."""
    path = tmp_path_factory.mktemp("fuzz") / "any.bin"

    def run(content: bytes) -> int:
        path.write_bytes(content)
        try:
            return len(contents(path).tensors)
        except ConversionFailed:
            return -1

    return run


@settings(deadline=None)
@given(content=st.binary(max_size=300))
def test_arbitrary_bytes_are_refused(read: Callable[[bytes], int], content: bytes) -> None:
    assert read(content) == -1


@settings(deadline=None)
@given(numbers=st.lists(st.one_of(st.integers(-3, 8), st.integers(-(2**31), HUGE)), max_size=30))
def test_arbitrary_numbers_after_a_sound_header_are_refused_or_read(
    read: Callable[[bytes], int], numbers: list[int]
) -> None:
    read(HEADER + packed(*numbers))


@settings(deadline=None)
@given(data=st.data())
def test_a_sound_file_with_other_bytes_somewhere_is_refused_or_read(
    read: Callable[[bytes], int], sound: bytes, data: st.DataObject
) -> None:
    place = data.draw(st.one_of(st.integers(0, 80), st.integers(0, len(sound) - 1)))
    other = data.draw(st.binary(min_size=1, max_size=8))
    read(sound[:place] + other + sound[place + len(other) :])


@settings(deadline=None)
@given(data=st.data())
def test_a_file_that_ends_early_is_refused_unless_it_ends_between_two_tensors(
    read: Callable[[bytes], int], sound: bytes, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = tmp_path_factory.getbasetemp() / "whole.bin"
    whole.write_bytes(sound)
    ends = {stored.offset + stored.size for stored in contents(whole).tensors.values()}
    length = data.draw(st.integers(0, len(sound) - 1))
    found = read(sound[:length])
    front = sound.index(b"decoder.positional_embedding") - len(packed(2, 28, 0, 64, 32))
    assert (found >= 0) == (length in {front, *ends})


@pytest.mark.parametrize(
    "content",
    [
        HEADER + packed(HUGE, HUGE),
        HEADER + packed(HUGE, 0, HUGE),
        HEADER + packed(0, 0, HUGE),
        HEADER + packed(0, 0, 1, HUGE),
        HEADER + packed(0, 0, 1, -5),
        FRONT + packed(HUGE, 4, 0),
        FRONT + packed(-1, 4, 0),
        FRONT + packed(2, HUGE, 0, 1, 1),
        FRONT + packed(2, -1, 0, 1, 1),
        FRONT + packed(2, 4, 99, 1, 1) + b"name",
        FRONT + packed(4, 4, 0, HUGE, HUGE, HUGE, HUGE) + b"name",
        FRONT + packed(2, 4, 0, -1, -1) + b"name" + b"\0" * 4,
        FRONT + packed(2, 4, 2, 33, 1) + b"name" + b"\0" * 18,
        FRONT + (packed(1, 4, 0, 1) + b"name" + b"\0" * 4) * 2,
    ],
)
def test_a_size_that_the_file_cannot_hold_is_refused_and_nothing_is_allocated_for_it(
    read: Callable[[bytes], int], content: bytes
) -> None:
    tracemalloc.start()
    try:
        assert read(content) == -1
        assert tracemalloc.get_traced_memory()[1] < MUCH
    finally:
        tracemalloc.stop()


def test_a_tensors_name_need_not_be_text(read: Callable[[bytes], int]) -> None:
    assert read(FRONT + packed(1, 2, 0, 1) + b"\xff\xfe" + b"\0" * 4) == 1
