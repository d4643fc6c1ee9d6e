import math

import pytest

from benchmarks.rounds import Limits, Spread, in_turns, quantile, ratios


class Clock:
    """A virtual clock, and a contender that takes `seconds` of it."""

    def __init__(self, seconds: float) -> None:
        self.now, self.seconds = 0.0, seconds

    def __call__(self) -> float:
        return self.now

    def work(self) -> None:
        self.now += self.seconds


def test_a_spread_is_the_median_between_the_quartiles() -> None:
    assert Spread.of([5.0, 1.0, 4.0, 2.0, 3.0]) == Spread(3.0, 2.0, 4.0)


def test_one_value_is_its_own_spread() -> None:
    assert Spread.of([7.0]) == Spread(7.0, 7.0, 7.0)


def test_one_slow_round_does_not_move_the_median() -> None:
    assert Spread.of([1.0, 1.0, 1.0, 100.0, 1.0]).median == 1.0


def test_a_spread_is_shown_with_its_quartiles() -> None:
    assert Spread(2.156, 2.1, 2.2).show(2) == "2.16 [2.10, 2.20]"


def test_ratios_are_taken_within_each_round_so_that_a_load_on_both_cancels() -> None:
    calm, loaded = 1.0, 10.0
    assert ratios([2 * calm, 2 * loaded, 2 * calm], [calm, loaded, calm]) == Spread(2.0, 2.0, 2.0)


def test_ratios_of_different_numbers_of_rounds_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratios([1.0, 2.0], [1.0])


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_a_quantile_of_a_hundred_is_a_value_that_was_measured(share: float, value: int) -> None:
    assert quantile(range(100, 0, -1), share) == value


@pytest.mark.parametrize(("share", "value"), [(0.5, 2), (0.99, 4), (0.25, 1), (1.0, 4)])
def test_a_quantile_of_a_few_is_a_value_that_was_measured(share: float, value: float) -> None:
    assert quantile([4, 1, 3, 2], share) == value


def test_a_quantile_of_nothing_is_no_number() -> None:
    assert math.isnan(quantile([], 0.5))


def test_everybody_runs_once_a_round_in_an_order_that_turns() -> None:
    order: list[str] = []
    contenders = {name: (lambda name=name: order.append(name)) for name in "abc"}
    takes = in_turns(contenders, Limits(rounds=3, seconds=60), Clock(0))
    assert "".join(order) == "abc" + "bca" + "cab"
    assert {name: len(taken) for name, taken in takes.items()} == {"a": 3, "b": 3, "c": 3}


def test_rounds_end_when_the_time_is_up() -> None:
    clock = Clock(2)
    takes = in_turns({"a": clock.work}, Limits(rounds=100, seconds=10, least=3), clock)
    assert len(takes["a"]) == 6


def test_the_least_number_of_rounds_is_run_whatever_it_takes() -> None:
    clock = Clock(1000)
    takes = in_turns({"a": clock.work}, Limits(rounds=100, seconds=10, least=3), clock)
    assert len(takes["a"]) == 3
