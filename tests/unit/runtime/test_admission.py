"""How much may wait, and when to come back."""

import pytest
from whisper_runtime.errors import QueueFull
from whisper_runtime.serving.admission import Admission


def test_audio_beyond_the_capacity_is_refused_and_room_comes_back() -> None:
    admission = Admission(60, workers=1)
    first = admission.admit(50)
    with pytest.raises(QueueFull):
        admission.admit(11)
    admission.admit(10)
    admission.release(first)
    assert (admission.depth, admission.queued_seconds) == (1, 10)


def test_audio_longer_than_the_capacity_is_admitted_when_nothing_else_is_there() -> None:
    admission = Admission(60, workers=1)
    ticket = admission.admit(3600)
    with pytest.raises(QueueFull):
        admission.require_room()
    admission.release(ticket)
    admission.require_room()


def test_retry_after_is_queued_seconds_over_speed_over_workers() -> None:
    admission = Admission(1000, workers=2)
    admission.measured(audio_seconds=30, took=3)
    admission.admit(400)
    assert admission.retry_after() == pytest.approx(400 / 10 / 2)


def test_the_speed_follows_what_is_measured_without_jumping() -> None:
    admission = Admission(1000, workers=1)
    admission.measured(10, 1)
    admission.measured(20, 1)
    assert 10 < admission.speed < 20
    admission.measured(0, 1)
    assert 10 < admission.speed < 20


def test_a_refusal_tells_seconds_and_milliseconds() -> None:
    admission = Admission(10, workers=1)
    admission.measured(8, 1)
    admission.admit(10)
    assert admission.refusal().headers() == {"retry-after": "2", "retry-after-ms": "1250"}


def test_what_is_heard_of_a_long_file_is_room_for_others() -> None:
    admission = Admission(600, workers=1)
    long = admission.admit(900)
    with pytest.raises(QueueFull):
        admission.admit(10)
    admission.heard(long, left=580)
    admission.admit(10)
    assert admission.queued_seconds == 590
    admission.release(long)
    assert admission.queued_seconds == 10
