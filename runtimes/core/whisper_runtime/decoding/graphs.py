"""The seam between the decode loop and a library that runs the model's graphs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Positions = npt.NDArray[np.int64]

Audio = Any
"""What an encoder made of a window, and a decoder listens to: the engine's own, opaque to the loop."""


class Decoder(Protocol):
    """The decoder of one worker. `attend` begins a window, `feed` gives logits for what comes after some tokens."""

    logits: Floats
    """(vocabulary,): for the token after what was fed last; overwritten by the next `feed`."""
    at: int
    """How many tokens were fed."""
    positions: int
    """How many fit."""

    def attend(self, audio: Audio) -> None:
        """Listen to another window from now on; forgets what was said."""

    def rewind(self, at: int) -> None:
        """Forget what was said after `at` tokens."""

    def feed(self, tokens: tuple[int, ...]) -> Floats:
        """Feed tokens after those fed so far: `logits`, for the token after them."""
        ...

    def release(self) -> None:
        """Let go of the window's memory."""


class Graphs(Protocol):
    """Encoder, decoder and alignment of one model; may be used from several threads at once."""

    def encode(self, mel: Floats, positions: Positions) -> Audio:
        """Of a spectrogram (1, frames, bins): two frames make one step of 20 ms.

        `positions`, one for each step, say where in the model's 30 s (0 to 1499) a step stands, so that a window may be
        shorter, and skip some.
        """
        ...

    def decoder(self) -> Decoder:
        """Another worker's decoder."""
        ...

    def attention(self, tokens: tuple[int, ...], audio: Audio) -> Floats:
        """(heads, tokens, steps): how much each token listens to each step, in the heads that follow the audio."""
        ...


class BatchDecoder(Protocol):
    """Decodes several windows in step with each other: each is fed as many tokens as the others."""

    audios: Sequence[Audio]
    """The windows that it listens to, for use one by one."""
    logits: Floats
    """(windows, vocabulary): for the tokens after what was fed last; overwritten by the next `feed`."""
    at: int
    """How many tokens each was fed."""
    positions: int
    """How many fit."""

    def feed(self, tokens: Sequence[tuple[int, ...]]) -> Floats:
        """Feed each window tokens after those fed so far: at first any number, then one. `logits`, for what follows."""
        ...


class BatchGraphs(Graphs, Protocol):
    """Graphs that decode several windows at once."""

    def batch_decoder(self, audios: list[Audio]) -> BatchDecoder:
        """A decoder for these windows, all of one length; it takes them over, so that none is in memory twice."""
        ...
