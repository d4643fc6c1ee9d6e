"""Decoders at work: they feed tokens to the graph and read logits, without copying anything between steps.

The graph writes keys and values into the same buffers that it reads, at the positions it is given; positions beyond
`total` are never read, so nothing of an earlier request can be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from whisper_runtime.decoding.graphs import Floats

from whisper_cpu.engine.values import value

Cross = dict[str, Any]
"""The keys and values that the encoder makes and the decoder reads, by the name of the decoder's input."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The sizes of a decoder, as the model's configuration gives them."""

    layers: int
    heads: int
    head_size: int
    positions: int
    steps: int
    """Of the audio, in a window of 30 s."""
    vocabulary: int

    @classmethod
    def of(cls, config: dict[str, Any]) -> Self:
        """From config.json."""
        heads = config["decoder_attention_heads"]
        size = config["d_model"] // heads
        lengths = config["max_target_positions"], config["max_source_positions"]
        return cls(config["decoder_layers"], heads, size, *lengths, config["vocab_size"])

    def bytes_of_a_window(self, bytes_of_heard: int) -> int:
        """Keys and values of what is said, in floats, and of what was heard, in so many bytes each."""
        return 2 * self.layers * self.heads * self.head_size * (4 * self.positions + bytes_of_heard * self.steps)

    def caches(self, rows: int) -> dict[str, Any]:
        """Room for what is said in so many windows; the system gives the memory when it is written to."""
        shape = (rows, self.heads, self.positions, self.head_size)
        names = [f"{kind}.{layer}" for layer in range(self.layers) for kind in "kv"]
        return {name: value(np.zeros(shape, np.float32)) for name in names}


class _Feed:
    """The graph's inputs for a run of `length` tokens, bound once."""

    def __init__(self, run: _Rows, length: int) -> None:
        self.ids = np.zeros((run.rows, length), np.int64)
        self.positions = np.zeros(length, np.int64)
        self.last = np.zeros(run.rows, np.int32)
        self.total = np.zeros(1, np.int32)
        self.binding = run.session.io_binding()
        self._kept = [value(array) for array in (self.ids, self.positions, self.last, self.total)]
        for name, bound in zip(("ids", "pos", "seqlens_k", "total"), self._kept, strict=True):
            self.binding.bind_ortvalue_input(name, bound)
        self.binding.bind_ortvalue_output("logits", run.logits_value)
        for name, cache in run.caches.items():
            self.binding.bind_ortvalue_input(f"past_{name}", cache)
            self.binding.bind_ortvalue_output(f"present_{name}", cache)
        for name, cross in run.cross.items():
            self.binding.bind_ortvalue_input(name, cross)
            if same := run.kept.get(name):
                self.binding.bind_ortvalue_output(same, cross)


class _Rows:
    """Some windows in step with each other: a row of tokens for each."""

    def __init__(self, session: Any, layout: Layout, rows: int) -> None:
        self.session, self.rows = session, rows
        self.positions = layout.positions
        self.caches = layout.caches(rows)
        self.cross: Cross = {}
        outputs = {node.name for node in session.get_outputs()}
        named = {node.name: node.name.replace("cross_", "same_") for node in session.get_inputs()}
        self.kept = {name: same for name, same in named.items() if same in outputs and same != name}
        """In 8 bits, keys and values of the audio are outputs too: in the same memory, or each step would copy them."""
        logits = np.zeros((rows, 1, layout.vocabulary), np.float32)
        self.written: Floats = logits[:, 0]
        """Logits of each row for what comes after the tokens of the last run."""
        self.logits_value = value(logits)
        self._step: _Feed | None = None
        self.at = 0

    def listen(self, cross: Cross) -> None:
        """Listen to this from now on; forgets what was said."""
        self.cross = cross
        self._step = None
        self.at = 0

    def run(self, tokens: Sequence[tuple[int, ...]]) -> None:
        """Go on by these tokens, as many in each row."""
        length = len(tokens[0])
        if length == 1:
            self._step = feed = self._step or _Feed(self, 1)
        else:
            feed = _Feed(self, length)
        end = self.at + length
        feed.ids[:] = tokens
        feed.positions[:] = range(self.at, end)
        feed.last[:], feed.total[0] = end - 1, end
        self.session.run_with_iobinding(feed.binding)
        self.at = end


class Decoder(_Rows):
    """The state of one worker. `attend` begins a window, `feed` gives logits for what comes after some tokens."""

    def __init__(self, session: Any, layout: Layout) -> None:
        super().__init__(session, layout, 1)
        self.logits: Floats = self.written[0]
        """For the token after what was fed last; overwritten by the next `feed`."""

    def attend(self, audio: Cross) -> None:
        """Listen to another window from now on; forgets what was said."""
        self.listen(audio)

    def rewind(self, at: int) -> None:
        """Forget what was said after `at` tokens."""
        self.at = at

    def feed(self, tokens: tuple[int, ...]) -> Floats:
        """Feed tokens after those fed so far: `logits`, for the token after them."""
        self.run((tokens,))
        return self.logits

    def release(self) -> None:
        """Let go of the window's memory."""
        self.listen({})


class BatchDecoder(_Rows):
    """Several windows at once, all of the same length, for one decode; takes over the memory of what it is given."""

    def __init__(self, session: Any, layout: Layout, audios: Sequence[Cross]) -> None:
        super().__init__(session, layout, len(audios))
        self.logits: Floats = self.written
        together = {name: np.concatenate([audio.pop(name).numpy() for audio in audios]) for name in tuple(audios[0])}
        self.audios = [
            {name: value(array[row : row + 1]) for name, array in together.items()} for row in range(self.rows)
        ]
        """The same windows again, one by one."""
        self.listen({name: value(array) for name, array in together.items()})

    def feed(self, tokens: Sequence[tuple[int, ...]]) -> Floats:
        """Feed each window tokens after those fed so far: `logits`, for the token after them."""
        self.run(tokens)
        return self.logits
