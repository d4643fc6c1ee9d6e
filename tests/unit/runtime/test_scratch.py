"""How much uploads may hold, all together."""

import pytest
from whisper_runtime.errors import QueueFull
from whisper_runtime.serving.scratch import IN_MEMORY, Scratch
from whisper_runtime.serving.stop import Cancelled

MIB = 1 << 20


def test_bytes_beyond_the_capacity_are_refused_and_room_comes_back() -> None:
    scratch = Scratch(10 * MIB)
    with scratch.hold() as first:
        first.take(6 * MIB)
        with scratch.hold() as second:
            second.take(4 * MIB)
            with pytest.raises(QueueFull) as refused:
                second.take(1)
        assert refused.value.headers()["retry-after"]
        assert scratch.held == 6 * MIB
    assert scratch.held == 0


def test_each_request_counts_as_one_that_stays_in_memory() -> None:
    scratch = Scratch(2 * IN_MEMORY)
    with scratch.hold(), scratch.hold(), pytest.raises(QueueFull), scratch.hold():
        pass
    assert scratch.held == 0


def test_whatever_its_size_an_upload_has_room_when_it_is_alone() -> None:
    scratch = Scratch(MIB)
    with scratch.hold() as only:
        only.take(100 * MIB)
        with pytest.raises(QueueFull), scratch.hold():
            pass
    assert scratch.held == 0


def test_what_has_ended_takes_no_more() -> None:
    scratch = Scratch(10 * MIB)
    mine = scratch.open()
    mine.take(5 * MIB)
    mine.give_back()
    mine.give_back()
    assert scratch.held == 0
    with pytest.raises(Cancelled):
        mine.take(1)
    assert scratch.held == 0
