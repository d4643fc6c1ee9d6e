"""A file that one thread reads while its request may end."""

import contextlib
import io

import pytest
from whisper_runtime.api.uploads import Shared
from whisper_runtime.serving.stop import Cancelled


def test_a_file_that_nobody_reads_is_closed_with_its_request() -> None:
    file = io.BytesIO(b"audio")
    shared = Shared(file)
    with shared.reading() as read:
        assert read.read() == b"audio"
    assert not file.closed
    shared.close()
    shared.close()
    assert file.closed


def test_a_file_that_is_being_read_is_closed_by_its_reader() -> None:
    file = io.BytesIO(b"audio")
    shared = Shared(file)
    with shared.reading() as read:
        shared.close()
        assert read.read() == b"audio"
    assert file.closed


def test_a_reader_that_fails_lets_go_too() -> None:
    file = io.BytesIO(b"audio")
    shared = Shared(file)
    with contextlib.suppress(ValueError), shared.reading():
        shared.close()
        raise ValueError
    assert file.closed


def test_a_reader_that_comes_too_late_is_told() -> None:
    shared = Shared(io.BytesIO(b"audio"))
    shared.close()
    with pytest.raises(Cancelled), shared.reading():
        raise AssertionError
