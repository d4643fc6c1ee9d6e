"""Whose turn it is: the shorter before the longer, nobody for ever last, and always in the same order."""

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from whisper_runtime.serving.turns import AGEING, Turns

WINDOW = 30.0
lengths = st.floats(1, 900).map(lambda seconds: round(seconds, 1))
arrivals = st.lists(st.lists(lengths, max_size=4), max_size=30)
"""How long the files are that come before each turn."""


@dataclass
class Workplace:
    """Hears all files on so many threads; a turn that is taken is given back after as many others as there are."""

    threads: int = 1
    turns: Turns[int] = field(default_factory=lambda: Turns(WINDOW))
    lengths: dict[int, float] = field(default_factory=dict)
    left: dict[int, float] = field(default_factory=dict)
    at_work: list[int] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)

    def arrive(self, seconds: float) -> None:
        who = len(self.lengths)
        self.lengths[who] = self.left[who] = seconds
        self.turns.put(who, seconds)

    def turn(self) -> int | None:
        """Who is heard next; the one that is heard for longest comes back first, if it has more."""
        if len(self.at_work) == self.threads:
            self._finish()
        due = self.turns.take()
        while due is None and self.at_work:
            self._finish()
            due = self.turns.take()
        if due is not None:
            self.at_work.append(due)
            self.taken.append(due)
        return due

    def _finish(self) -> None:
        who = self.at_work.pop(0)
        self.left[who] -= min(WINDOW, self.left[who])
        if self.left[who]:
            self.turns.put(who, self.left[who])

    def run(self, coming: list[list[float]]) -> list[int]:
        for files in coming:
            for seconds in files:
                self.arrive(seconds)
            self.turn()
        while self.turn() is not None:
            pass
        return self.taken


@settings(deadline=None)
@given(arrivals, st.integers(1, 3))
def test_all_are_heard_to_the_end_and_the_order_is_always_the_same(coming: list[list[float]], threads: int) -> None:
    work = Workplace(threads)
    taken = work.run(coming)
    assert Counter(taken) == {who: -int(-seconds // WINDOW) for who, seconds in work.lengths.items()}
    assert Workplace(threads).run(coming) == taken


@settings(deadline=None)
@given(arrivals, st.integers(1, 3), lengths)
def test_a_file_lets_each_that_has_more_left_go_ahead_at_most_once(
    coming: list[list[float]], threads: int, seconds: float
) -> None:
    work = Workplace(threads)
    for files in coming:
        for other in files:
            work.arrive(other)
        work.turn()
    mine = len(work.lengths)
    longer = {who for who, left in work.left.items() if left - WINDOW * (who in work.at_work) >= seconds + WINDOW}
    before = len(work.taken)
    work.arrive(seconds)
    while work.turn() != mine:
        pass
    ahead = Counter(work.taken[before:-1])
    assert all(ahead[who] <= 1 for who in longer)


@settings(deadline=None)
@given(st.floats(30, 3600), st.floats(1, 30))
def test_a_long_file_has_its_turn_however_many_short_ones_come(long: float, short: float) -> None:
    turns: Turns[int] = Turns(WINDOW)
    turns.put(0, long)
    goes_ahead = int(long / AGEING / short) + 1
    for ahead in range(goes_ahead + 1):
        turns.put(ahead + 1, short)
        if turns.take() == 0:
            return
    raise AssertionError(f"{goes_ahead} went ahead of it")


def test_of_equals_the_first_is_first_and_nobody_is_due_where_nobody_waits() -> None:
    turns: Turns[str] = Turns(WINDOW)
    for who in "abc":
        turns.put(who, 10)
    assert turns.drop("b")
    assert not turns.drop("b")
    assert [turns.take() for _ in range(3)] == ["a", "c", None]


def test_of_those_that_came_together_the_shorter_is_first() -> None:
    turns: Turns[float] = Turns(WINDOW)
    for seconds in (600.0, 5.0, 60.0):
        turns.put(seconds, seconds)
    assert [turns.take() for _ in range(3)] == [5.0, 60.0, 600.0]
