"""Cutting tokens into segments, and where the next window begins."""

import pytest
from whisper_runtime.decoding.segments import Cut, cut

T = 100  # the token of time 0


CASES = [
    (
        "a last time alone: all was said, the window is done",
        [T, 1, 2, T + 50, T + 60, 3, T + 90],
        [Cut(0, 50, (T, 1, 2, T + 50), 0), Cut(60, 90, (T + 60, 3, T + 90), 4)],
        1500,
    ),
    (
        "what is unfinished is heard again from the end of what was finished",
        [T, 1, T + 50, T + 60, 3],
        [Cut(0, 50, (T, 1, T + 50), 0)],
        50,
    ),
    (
        "a pair at the end: go on from there",
        [T, 1, T + 50, T + 50],
        [Cut(0, 50, (T, 1, T + 50), 0)],
        50,
    ),
    ("one segment", [T + 2, 1, T + 40], [Cut(2, 40, (T + 2, 1, T + 40), 0)], 1500),
    ("no end time: until the end of the window", [T, 1, 2], [Cut(0, 1500, (T, 1, 2), 0)], 1500),
    ("never stands still", [T, T, 1], [Cut(0, 0, (T,), 0)], 1500),
]


@pytest.mark.parametrize(("tokens", "cuts", "steps"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_segments_and_the_way_on(tokens: list[int], cuts: list[Cut], steps: int) -> None:
    assert cut(tokens, T, 1500) == (cuts, steps)
