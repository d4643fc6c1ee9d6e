"""What of the audio the encoder hands to the decoder: keys and values of each layer, in float32 or in 8 bits.

For each token the decoder reads all of them, which is about as much as its weights. In 8 bits it is a quarter, with one
scale for each channel of a window. The fused attention over 8 bits has one set of scales for all windows of a batch,
so they are multiplied into queries and results instead. It is made for caches that grow, so it also writes what it
read: `same_k.L` and `same_v.L` are `cross_k.L` and `cross_v.L`, and nothing is copied when both are bound to the same
memory.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from whisper_models.convert.onnx.blocks import Blocks
from whisper_models.convert.onnx.graph import FLOAT, FUSED, INT8, INT32, Graph

KINDS = ("k", "v")
_FEW = 8
"""So many tokens at once attend one by one; more, as a prompt has, are worth turning everything into floats. Of several
windows at once the fused attention takes one token each."""
_LEVELS = 127.0
WINDOWS = "B"
"""The axis of what is heard at once."""


class Cross(Protocol):
    """How keys and values are written by the encoder and read by decoder and alignment."""

    def write(self, decoder: Blocks, projected: str, name: str) -> None:
        """Outputs of the encoder, of keys or values (1, T, width)."""

    def declare(self, decoder: Blocks, index: int) -> None:
        """A layer's inputs of the decoder or the alignment."""

    def floats(self, decoder: Blocks, kind: str, index: int) -> str:
        """Keys or values as they were: (windows, heads, T, head width)."""
        ...

    def attend(self, decoder: Blocks, query: str, index: int) -> str:
        """Attention of unsplit queries, mostly of one token."""
        ...


def attend_in_floats(cross: Cross, decoder: Blocks, query: str, index: int) -> str:
    """Attention of the queries of many tokens."""
    return decoder.attend(query, *(cross.floats(decoder, kind, index) for kind in KINDS))


class FloatCross:
    """Nothing rounded."""

    def write(self, decoder: Blocks, projected: str, name: str) -> None:
        """An output of the encoder."""
        decoder.graph.output(decoder.split_heads(projected, name=name), FLOAT, _shape(decoder))

    def declare(self, decoder: Blocks, index: int) -> None:
        """Inputs of the decoder or the alignment."""
        for kind in KINDS:
            decoder.graph.input(f"cross_{kind}.{index}", FLOAT, _shape(decoder, WINDOWS))

    def floats(self, decoder: Blocks, kind: str, index: int) -> str:  # noqa: ARG002 - the other kind needs it
        """As they are."""
        return f"cross_{kind}.{index}"

    def attend(self, decoder: Blocks, query: str, index: int) -> str:
        """One way for few and many."""
        return attend_in_floats(self, decoder, query, index)


class Int8Cross:
    """8 bits, and `cross_k_scale.L` and `cross_v_scale.L` (1, heads, 1, head width) beside them."""

    def write(self, decoder: Blocks, projected: str, name: str) -> None:
        """Two outputs of the encoder."""
        graph = decoder.graph
        largest = graph.op("ReduceMax", graph.op("Abs", projected), graph.ints(0, 1), keepdims=0)
        scale = graph.op("Mul", graph.op("Max", largest, graph.floats(1e-8)), graph.floats(1 / _LEVELS))
        zero = graph.weight("cross.zero", lambda: np.zeros((), np.int8))
        levels = graph.op("Div", projected, scale)
        rounded = graph.op("QuantizeLinear", levels, graph.floats(1.0), zero)
        graph.output(decoder.split_heads(rounded, name=name), INT8, _shape(decoder))
        scale_name = _scale(name)
        graph.op("Reshape", scale, graph.ints(1, decoder.heads, 1, decoder.head_width), name=scale_name)
        graph.output(scale_name, FLOAT, [1, decoder.heads, 1, decoder.head_width])

    def declare(self, decoder: Blocks, index: int) -> None:
        """Inputs of the decoder or the alignment."""
        for kind in KINDS:
            name = f"cross_{kind}.{index}"
            decoder.graph.input(name, INT8, _shape(decoder, WINDOWS))
            decoder.graph.input(_scale(name), FLOAT, [WINDOWS, decoder.heads, 1, decoder.head_width])

    def floats(self, decoder: Blocks, kind: str, index: int) -> str:
        """Multiplied with their scales."""
        name = f"cross_{kind}.{index}"
        return decoder.graph.op("Mul", decoder.graph.op("Cast", name, to=FLOAT), _scale(name))

    def attend(self, decoder: Blocks, query: str, index: int) -> str:
        """In 8 bits for few tokens, in floats for many."""
        graph = decoder.graph
        windows, tokens = (graph.op("Shape", query, start=axis, end=axis + 1) for axis in (0, 1))
        most = graph.op("Where", graph.op("Equal", windows, graph.ints(1)), graph.ints(_FEW), graph.ints(1))
        few = graph.op("LessOrEqual", tokens, most)
        names = (f"heard.{index}", *(f"same_{kind}.{index}" for kind in KINDS))
        graph.choose(
            few,
            lambda: self._in_8_bits(decoder, query, index),
            lambda: self._in_floats(decoder, query, index),
            names,
            (FLOAT, INT8, INT8),
        )
        for name in names[1:]:
            graph.output(name, INT8, _shape(decoder, WINDOWS))
        return names[0]

    def _in_floats(self, decoder: Blocks, query: str, index: int) -> tuple[str, ...]:
        attended = attend_in_floats(self, decoder, query, index)
        return attended, *(decoder.graph.op("Identity", f"cross_{kind}.{index}") for kind in KINDS)

    def _in_8_bits(self, decoder: Blocks, query: str, index: int) -> tuple[str, ...]:
        """The fused attention that reads 8 bits; it is given no new keys and values, for there are none."""
        graph = decoder.graph
        keys, values = (f"cross_{kind}.{index}" for kind in KINDS)
        none = graph.op("Slice", query, graph.ints(0), graph.ints(0), graph.ints(1))
        one = graph.weight("cross.one", lambda: np.ones((1, decoder.heads, 1, decoder.head_width), np.float32))
        total = _length(graph, keys, 2)
        before = graph.op("Sub", total, graph.int32s(1))
        read = graph.ops(
            "GroupQueryAttention",
            *(graph.op("Mul", query, self._unsplit_scale(decoder, keys)), none, none, keys, values),
            *(graph.op("Expand", before, graph.op("Shape", query, start=0, end=1)), total),
            *("", "", "", "", ""),
            *(one, one),
            names=(f"levels.{index}", f"read_k.{index}", f"read_v.{index}"),
            domain=FUSED,
            num_heads=decoder.heads,
            kv_num_heads=decoder.heads,
            causal=0,
            kv_cache_bit_width=8,
            k_quant_type="PER_CHANNEL",
            v_quant_type="PER_CHANNEL",
        )
        return graph.op("Mul", read[0], self._unsplit_scale(decoder, values)), *read[1:]

    @staticmethod
    def _unsplit_scale(decoder: Blocks, name: str) -> str:
        """As queries and results are: (windows, 1, width)."""
        return decoder.graph.op("Reshape", _scale(name), decoder.graph.ints(0, 1, decoder.width))


def _shape(decoder: Blocks, windows: int | str = 1) -> list[int | str]:
    return [windows, decoder.heads, "T", decoder.head_width]


def _scale(name: str) -> str:
    kind, _, layer = name.partition(".")
    return f"{kind}_scale.{layer}"


def _length(graph: Graph, x: str, axis: int) -> str:
    """Of one axis, as the fused attention wants it."""
    return graph.op("Cast", graph.op("Shape", x, start=axis, end=axis + 1), to=INT32)
