"""Speed and time left are measured, and None until they are."""

from whisper_models.progress import Progress, Snapshot, Stage


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_nothing_is_claimed_before_anything_moved() -> None:
    assert Progress(Clock()).snapshot() == Snapshot(Stage.RESOLVING, 0, None, None, None, None)


def test_speed_and_time_left_follow_the_last_seconds_only() -> None:
    clock = Clock()
    progress = Progress(clock)
    progress.begin(Stage.DOWNLOADING, total=10_000)
    clock.now = 1.0
    progress.advance(5_000)
    for clock.now in range(2, 32):
        progress.advance(100)
    snapshot = progress.snapshot()
    assert snapshot.bytes_done == 8_000
    assert snapshot.speed == 100
    assert snapshot.eta == 20


def test_what_an_earlier_attempt_left_counts_as_done_but_not_as_speed() -> None:
    clock = Clock()
    progress = Progress(clock)
    progress.begin(Stage.DOWNLOADING, total=1_000, done=900)
    clock.now = 2.0
    progress.advance(50)
    snapshot = progress.snapshot()
    assert (snapshot.bytes_done, snapshot.speed, snapshot.eta) == (950, 25, 2)


def test_a_transfer_that_stopped_has_no_speed_and_no_time_left() -> None:
    clock = Clock()
    progress = Progress(clock)
    progress.begin(Stage.DOWNLOADING, total=1_000)
    clock.now = 1.0
    progress.advance(-10)
    assert progress.snapshot().speed is None
    assert progress.snapshot().eta is None
