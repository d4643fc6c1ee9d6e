"""When each token was said: dynamic time warping over the attention that it paid to the audio. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_MEDIAN_WIDTH = 7

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


def attention_cost(attention: Floats, frames: int) -> Doubles:
    """Cost of each token at each frame, from (heads, tokens, frames): low where the heads look.

    Only the frames that hold audio count. Each frame is standardised over the tokens, smoothed along time, and averaged
    over the heads, as in Whisper's own word timing.
    """
    heard = attention[:, :, :frames].astype(np.float64)
    heard /= np.maximum(heard.sum(axis=-1, keepdims=True), 1e-12)
    spread = np.maximum(heard.std(axis=1, keepdims=True), 1e-12)
    standard = (heard - heard.mean(axis=1, keepdims=True)) / spread
    cost: Doubles = -median_filter(standard, _MEDIAN_WIDTH).mean(axis=0)
    return cost


def median_filter(x: Doubles, width: int) -> Doubles:
    """The median of `width` neighbours along the last axis, mirrored at both ends."""
    half = width // 2
    if x.shape[-1] <= half:
        return x
    padded = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(half, half)], mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=-1)
    return np.partition(windows, half, axis=-1)[..., half]


def first_frames(cost: Doubles) -> list[int]:
    """The frame at which the cheapest monotonic path enters each token, for (tokens, frames)."""
    total = _accumulate(cost)
    i, j = cost.shape[0] - 1, cost.shape[1] - 1
    entered = [0] * cost.shape[0]
    while True:
        entered[i] = j
        if i == 0:
            entered[0] = 0
            return entered
        diagonal = total[i - 1, j - 1] if j else np.inf
        up, left = total[i - 1, j], total[i, j - 1] if j else np.inf
        if diagonal < up and diagonal < left:
            i, j = i - 1, j - 1
        elif up < left:
            i -= 1
        else:
            j -= 1


def _accumulate(cost: Doubles) -> Doubles:
    """The cheapest cost of a path to each cell; steps go one token on, one frame on, or both.

    A row at a time: reaching column j means entering the row at some k ≤ j and walking along it, so the minimum over k
    is a running minimum once the row's prefix sums are taken out.
    """
    total = np.empty_like(cost)
    total[0] = np.cumsum(cost[0])
    for i in range(1, len(cost)):
        above = total[i - 1]
        enter = above.copy()
        enter[1:] = np.minimum(above[1:], above[:-1])
        sums = np.cumsum(cost[i])
        total[i] = sums + np.minimum.accumulate(enter - sums + cost[i])
    return total
