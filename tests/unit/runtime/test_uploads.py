"""A file that one thread reads while its request may end."""

import asyncio
import contextlib
import io
import threading
from typing import cast

import pytest
from starlette.datastructures import UploadFile
from whisper_runtime.api.uploads import Shared, spool
from whisper_runtime.serving.scratch import IN_MEMORY
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


@pytest.mark.parametrize(("size", "in_a_thread"), [(IN_MEMORY, False), (IN_MEMORY + 1, True)])
def test_only_what_is_on_disk_takes_a_thread_to_close(size: int, *, in_a_thread: bool) -> None:
    threads = list[threading.Thread]()

    class Closed(Shared):
        def close(self) -> None:
            threads.append(threading.current_thread())
            super().close()

    file = spool()
    file.write(bytes(size))
    asyncio.run(UploadFile(cast("io.BytesIO", Closed(file))).close())
    assert file.closed
    assert (threads != [threading.main_thread()]) == in_a_thread
