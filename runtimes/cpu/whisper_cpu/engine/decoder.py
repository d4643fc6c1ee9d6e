"""One decoder at work: feeds tokens to the graph and reads logits, without copying anything between steps.

The graph writes keys and values into the same buffers that it reads, at the positions it is given; positions beyond
`total` are never read, so nothing of an earlier request can be.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from whisper_cpu.engine.graphs import Graphs, value

Floats = npt.NDArray[np.float32]


class _Feed:
    """The graph's inputs for a run of `length` tokens, bound once."""

    def __init__(self, decoder: Decoder, length: int) -> None:
        self.ids = np.zeros((1, length), np.int64)
        self.positions = np.zeros(length, np.int64)
        self.last = np.zeros(1, np.int32)
        self.total = np.zeros(1, np.int32)
        self.binding = decoder.session.io_binding()
        self._kept = [value(array) for array in (self.ids, self.positions, self.last, self.total)]
        for name, bound in zip(("ids", "pos", "seqlens_k", "total"), self._kept, strict=True):
            self.binding.bind_ortvalue_input(name, bound)
        self.binding.bind_ortvalue_output("logits", decoder.logits_value)
        for name, cache in decoder.caches.items():
            self.binding.bind_ortvalue_input(f"past_{name}", cache)
            self.binding.bind_ortvalue_output(f"present_{name}", cache)
        for name, cross in decoder.cross.items():
            self.binding.bind_ortvalue_input(name, cross)


class Decoder:
    """The state of one worker. `attend` begins a window, `feed` gives logits for what comes after some tokens."""

    def __init__(self, graphs: Graphs, vocabulary_size: int) -> None:
        self.session = graphs.decoder
        self.positions = graphs.positions
        shape = (1, graphs.heads, graphs.positions, graphs.head_size)
        names = [f"{kind}.{layer}" for layer in range(graphs.layers) for kind in "kv"]
        self.caches = {name: value(np.zeros(shape, np.float32)) for name in names}
        self.cross: dict[str, Any] = {}
        logits = np.zeros((1, 1, vocabulary_size), np.float32)
        self.logits: Floats = logits[0, 0]
        """For the token after what was fed last; overwritten by the next `feed`."""
        self.logits_value = value(logits)
        self._step: _Feed | None = None
        self.at = 0

    def attend(self, cross: dict[str, Any]) -> None:
        """Listen to another window from now on; forgets what was said."""
        self.cross = cross
        self._step = None
        self.at = 0

    def rewind(self, at: int) -> None:
        """Forget what was said after `at` tokens."""
        self.at = at

    def feed(self, tokens: tuple[int, ...]) -> Floats:
        """Feed tokens after those fed so far: `logits`, for the token after them."""
        if len(tokens) == 1:
            self._step = feed = self._step or _Feed(self, 1)
        else:
            feed = _Feed(self, len(tokens))
        end = self.at + len(tokens)
        feed.ids[0] = tokens
        feed.positions[:] = range(self.at, end)
        feed.last[0], feed.total[0] = end - 1, end
        self.session.run_with_iobinding(feed.binding)
        self.at = end
        return self.logits

    def release(self) -> None:
        """Let go of the window's memory."""
        self.cross = {}
        self._step = None
