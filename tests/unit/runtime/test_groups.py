"""Which windows are heard together."""

from itertools import accumulate, pairwise

from hypothesis import given
from hypothesis import strategies as st
from whisper_runtime.engine import SAMPLE_RATE
from whisper_runtime.speech.groups import groups
from whisper_runtime.speech.spans import Span
from whisper_runtime.speech.windows import Window

FULL, SHORT = 28, 8


def windows(*seconds: int) -> tuple[Window, ...]:
    ends = list(accumulate(seconds, initial=0))
    return tuple(Window((Span(a * SAMPLE_RATE, b * SAMPLE_RATE),)) for a, b in pairwise(ends))


def sizes(*seconds: int, most: int = 4, first_alone: bool = False) -> list[int]:
    return [len(group) for group in groups(windows(*seconds), most, first_alone=first_alone)]


@given(st.lists(st.integers(1, 30)), st.integers(1, 5), st.booleans())
def test_all_windows_are_there_in_order_and_never_too_many(seconds: list[int], most: int, first_alone: bool) -> None:  # noqa: FBT001 - drawn
    found = list(groups(windows(*seconds), most, first_alone=first_alone))
    assert [window for group in found for window in group] == list(windows(*seconds))
    assert all(1 <= len(group) <= most for group in found)
    assert all(window.length >= 20 * SAMPLE_RATE for group in found if len(group) > 1 for window in group)


def test_neighbours_that_are_long_are_together() -> None:
    assert sizes(*[FULL] * 9) == [4, 4, 1]
    assert sizes(FULL, FULL, SHORT, FULL, FULL, FULL) == [2, 1, 3]


def test_the_one_by_which_the_language_is_found_is_alone() -> None:
    assert sizes(*[FULL] * 6, first_alone=True) == [1, 4, 1]


def test_an_engine_that_hears_one_at_a_time_is_given_one_at_a_time() -> None:
    assert sizes(*[FULL] * 3, most=1) == [1, 1, 1]
    assert sizes() == []
