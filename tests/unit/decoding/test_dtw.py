"""Word times: warping, smoothing, grouping."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from whisper_runtime.decoding.dtw import _accumulate, attention_cost, first_frames, median_filter

Costs = npt.NDArray[np.float64]
costs = arrays(np.float64, st.tuples(st.integers(1, 7), st.integers(1, 12)), elements=st.floats(-5, 5, width=16))


def cheapest(cost: Costs) -> float:
    """The definition, cell by cell."""
    total = np.full(cost.shape, np.inf)
    for i in range(cost.shape[0]):
        for j in range(cost.shape[1]):
            before = [total[i - 1, j]] * (i > 0) + [total[i, j - 1]] * (j > 0) + [total[i - 1, j - 1]] * (i > 0 < j)
            total[i, j] = cost[i, j] + (min(before) if before else 0.0)
    return float(total[-1, -1])


@given(costs)
@settings(deadline=None)
def test_row_by_row_gives_the_cheapest_path(cost: Costs) -> None:
    assert _accumulate(cost)[-1, -1] == pytest.approx(cheapest(cost), abs=1e-9)


@given(costs)
@settings(deadline=None)
def test_tokens_are_entered_in_order_and_inside_the_audio(cost: Costs) -> None:
    frames = first_frames(cost)
    assert frames == sorted(frames)
    assert frames[0] == 0
    assert 0 <= frames[-1] < cost.shape[1]


def test_the_path_follows_the_attention() -> None:
    attention = np.full((2, 4, 40), 0.001, np.float32)
    for token, (a, b) in enumerate([(0, 10), (10, 18), (18, 30), (30, 40)]):
        attention[:, token, a:b] = 1.0
    frames = first_frames(attention_cost(attention, 40))
    assert np.abs(np.array(frames) - [0, 10, 18, 30]).max() <= 2


def test_frames_after_the_audio_do_not_count() -> None:
    random = np.random.default_rng(0)
    attention = random.random((3, 5, 60)).astype(np.float32)
    louder = attention.copy()
    louder[:, :, 40:] *= 100
    assert np.allclose(attention_cost(attention, 40), attention_cost(louder, 40), atol=1e-5)


def test_the_median_removes_a_spike_and_keeps_a_step() -> None:
    x = np.array([[0, 9, 0, 0, 0, 0, 0, 0, 5, 5, 5, 5, 5, 5, 5]], float)
    assert median_filter(x, 7).tolist() == [[0, 0, 0, 0, 0, 0, 0, 0, 5, 5, 5, 5, 5, 5, 5]]
    assert median_filter(x[:, :2], 7).tolist() == [[0, 9]]
