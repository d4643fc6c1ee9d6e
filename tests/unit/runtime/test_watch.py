"""What counts as hung."""

import math

from whisper_runtime.serving.watch import Watch


def test_a_counter_that_stands_still_for_longer_than_the_limit_is_told() -> None:
    watch = Watch[str](limit=3)
    looks = [watch.look({"a": 7}, elapsed=1) for _ in range(5)]
    assert looks == [[], [], [], [], ["a"]], "the first look only remembers"


def test_one_that_grows_is_left_alone_whatever_the_others_do() -> None:
    watch = Watch[str](limit=2)
    looks = [watch.look({"slow": step, "stuck": 0}, elapsed=1) for step in range(5)]
    assert looks[-1] == ["stuck"]
    assert all("slow" not in look for look in looks)


def test_silence_is_forgotten_with_progress_and_with_the_end_of_the_work() -> None:
    watch = Watch[str](limit=2)
    for counters in ({"a": 1}, {"a": 1}, {"a": 1}, {"a": 2}, {"a": 2}, {}, {"a": 2}, {"a": 2}):
        assert watch.look(counters, elapsed=1) == []


def test_without_a_limit_it_only_learns_how_slow_a_step_can_be() -> None:
    watch = Watch[str]()
    for _ in range(1000):
        assert watch.look({"a": 1}, elapsed=10) == []
    assert (watch.limit, watch.slowest) == (math.inf, 9990)
