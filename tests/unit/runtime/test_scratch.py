"""How much uploads may hold, all together."""

import pytest
from whisper_runtime.errors import QueueFull
from whisper_runtime.serving.scratch import IN_MEMORY, Scratch

MIB = 1 << 20


def test_bytes_beyond_the_capacity_are_refused_and_room_comes_back() -> None:
    scratch = Scratch(10 * MIB)
    with scratch.hold() as first:
        first.arrived(6 * MIB)
        with scratch.hold() as second:
            second.arrived(4 * MIB)
            with pytest.raises(QueueFull) as refused:
                second.arrived(1)
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
        only.arrived(100 * MIB)
        with pytest.raises(QueueFull), scratch.hold():
            pass
    assert scratch.held == 0
