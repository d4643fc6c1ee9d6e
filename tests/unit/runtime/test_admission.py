"""How much may wait, and when to come back."""

import pytest
from whisper_runtime.errors import QueueFull
from whisper_runtime.serving.admission import Admission


def test_audio_beyond_the_capacity_is_refused_and_room_comes_back() -> None:
    admission = Admission(60, workers=1)
    first = admission.admit(25)
    second = admission.admit(25)
    with pytest.raises(QueueFull, match="50 of 60 seconds of audio are waiting"):
        admission.admit(11)
    admission.admit(10)
    with pytest.raises(QueueFull):
        admission.require_room()
    first.release()
    admission.require_room()
    assert (admission.depth, admission.queued_seconds) == (2, 35)
    second.release()
    assert (admission.depth, admission.queued_seconds) == (1, 10)


def test_a_long_file_takes_half_of_the_queue_and_the_other_half_is_there_for_others() -> None:
    admission = Admission(600, workers=1)
    long = admission.admit(7200)
    assert (admission.queued_seconds, admission.taken_seconds) == (7200, 300)
    admission.admit(290)
    admission.admit(10)
    with pytest.raises(QueueFull):
        admission.admit(1)
    long.release()
    admission.admit(1)


def test_of_files_that_are_longer_than_half_of_the_queue_there_is_one_at_a_time() -> None:
    admission = Admission(600, workers=1)
    long = admission.admit(900)
    with pytest.raises(QueueFull, match="another long file is being heard, with 900 seconds left"):
        admission.admit(301)
    long.heard(300)
    assert admission.admit(301).room == 300


def test_retry_after_is_the_seconds_that_take_room_over_speed_over_workers() -> None:
    admission = Admission(800, workers=2)
    admission.measured(audio_seconds=30, took=3)
    admission.admit(4000)
    assert refused(admission, 500) == pytest.approx((4000 - 400) / 10 / 2)
    admission.admit(390)
    assert refused(admission, 20) == pytest.approx((400 + 390) / 10 / 2)


def refused(admission: Admission, seconds: float) -> float:
    with pytest.raises(QueueFull) as full:
        admission.admit(seconds)
    assert full.value.retry_after is not None
    return full.value.retry_after


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
    for _ in range(2):
        admission.admit(5)
    assert admission.refusal().headers() == {"retry-after": "2", "retry-after-ms": "1250"}


def test_what_is_heard_of_a_file_is_room_for_others() -> None:
    admission = Admission(60, workers=1)
    first, _ = admission.admit(30), admission.admit(30)
    with pytest.raises(QueueFull):
        admission.admit(10)
    first.heard(20)
    admission.admit(10)
    assert admission.queued_seconds == 60
    first.release()
    assert admission.queued_seconds == 40
