"""One linear layer in float32, 8 and 4 bits. Weights are (outputs, inputs), as in checkpoints; activations floats."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import gcd
from typing import Protocol

import numpy as np
import numpy.typing as npt

from whisper_models.convert.onnx.graph import FUSED, Graph
from whisper_models.convert.weights import Array, Read
from whisper_models.errors import UnsupportedCheckpoint

BLOCK = 32
"""So many weights of a row share a scale in 4 bits."""
WIDE = 128
"""The same in 8 bits: all of OpenAI's rows are whole blocks of it, and smaller ones take longer and gain nothing."""
_NARROW = 16
"""The smallest block that ONNX Runtime knows."""
_INT8_ACTIVATIONS = 4  # what `accuracy_level` calls it: as exact as floats here, and faster

_LEVELS = 63
"""Weights use 7 of their 8 bits: CPUs without VNNI add two products in 16 bits, and with all 8 that sum is cut off. The
encoder's output then differs from float32 by 18 % instead of 15 %; with 7 it is 15 % everywhere, at the same speed."""


class Linear(Protocol):
    """Writes `x @ weight.T + bias` and returns the result's name."""

    def __call__(self, graph: Graph, x: str, name: str, weight: Read, bias: Read | None) -> str:
        """The constants are called after `name`."""
        ...


def float32(graph: Graph, x: str, name: str, weight: Read, bias: Read | None) -> str:
    """Nothing rounded."""
    product = graph.op("MatMul", x, graph.weight(f"{name}.weight.T", lambda: weight().T))
    return product if bias is None else graph.op("Add", product, graph.weight(f"{name}.bias", bias))


def dynamic_int8(graph: Graph, x: str, name: str, weight: Read, bias: Read | None) -> str:
    """Weights in int8 with a scale for each output; activations in 8 bits with one scale, found as they come."""
    rounded = cache(lambda: _round(weight()))  # two constants from one reading
    x_values, x_scale, x_zero = graph.quantized(x)
    return graph.op(
        "MatMulIntegerToFloat",
        x_values,
        graph.weight(f"{name}.weight.T.int8", lambda: rounded()[0].T),
        x_scale,
        graph.weight(f"{name}.scale", lambda: rounded()[1]),
        x_zero,
        graph.weight(f"{name}.zero", lambda: np.zeros(len(rounded()[1]), np.int8)),
        "" if bias is None else graph.weight(f"{name}.bias", bias),
        domain=FUSED,
    )


def _round(weight: Array) -> tuple[npt.NDArray[np.int8], Array]:
    """(outputs, inputs) in float32 → the same in int8, and a scale for each output."""
    scale = np.maximum(np.abs(weight).max(axis=1), 1e-8) / _LEVELS
    levels = weight * (1 / scale)[:, None]
    return np.rint(levels, out=levels).astype(np.int8), scale


def blockwise_int8(graph: Graph, x: str, name: str, weight: Read, bias: Read | None) -> str:
    """Weights in 8 bits with a scale for each block of a row; activations in 8 bits, as many of them with a scale."""
    return _blockwise(graph, x, name, lambda: pack_int8(name, weight()), bias, bits=8)


def pack_int8(name: str, weight: Array) -> tuple[npt.NDArray[np.uint8], Array]:
    """(outputs, inputs) → (outputs, blocks, block), 128 for nought; (outputs, blocks) scales.

    Raises:
        UnsupportedCheckpoint: rows are not made of whole blocks, however small.
    """
    blocks = _blocks(name, weight, max(_NARROW, gcd(weight.shape[1], WIDE)), "fp32")
    scale = np.maximum(np.abs(blocks).max(axis=2), 1e-8) / 127
    levels = blocks * (1 / scale)[:, :, None]
    np.rint(levels, out=levels)
    levels += 128
    return levels.astype(np.uint8), scale


def blockwise_int4(graph: Graph, x: str, name: str, weight: Read, bias: Read | None) -> str:
    """Weights in 4 bits with a scale for each block of a row."""
    return _blockwise(graph, x, name, lambda: pack_int4(name, weight()), bias, bits=4)


def _blockwise(
    graph: Graph,
    x: str,
    name: str,
    pack: Callable[[], tuple[npt.NDArray[np.uint8], Array]],
    bias: Read | None,
    *,
    bits: int,
) -> str:
    packed = cache(pack)  # two constants from one reading
    values = graph.weight(f"{name}.weight.int{bits}", lambda: packed()[0])
    outputs, blocks, size = graph.shape(values)
    return graph.op(
        "MatMulNBits",
        x,
        values,
        graph.weight(f"{name}.scale", lambda: packed()[1]),
        "",  # zero points: the middle
        "",  # the order of the inputs: as it is
        "" if bias is None else graph.weight(f"{name}.bias", bias),
        domain=FUSED,
        K=blocks * size * 8 // bits,
        N=outputs,
        bits=bits,
        block_size=size * 8 // bits,
        accuracy_level=_INT8_ACTIVATIONS,
    )


def _blocks(name: str, weight: Array, size: int, instead: str) -> Array:
    outputs, inputs = weight.shape
    if inputs % size:
        raise UnsupportedCheckpoint(f"{name} has {inputs} inputs, no multiple of {size}: use {instead} for this model")
    return weight.reshape(outputs, -1, size)


def pack_int4(name: str, weight: Array) -> tuple[npt.NDArray[np.uint8], Array]:
    """(outputs, inputs) → (outputs, blocks, BLOCK / 2), two weights a byte, lower half first; (outputs, blocks) scales.

    Of each block the number furthest from zero is exact, at -8 of -8 … 7: a scale may be negative.

    Raises:
        UnsupportedCheckpoint: rows are not made of whole blocks.
    """
    blocks = _blocks(name, weight, BLOCK, "int8 or fp32")
    least, most = blocks.min(axis=2), blocks.max(axis=2)
    scale = np.where(-least > most, least, most) / -8
    levels = blocks * (1 / np.where(scale == 0, 1, scale))[:, :, None]
    levels = np.rint(levels, out=levels) + 8
    nibbles = np.minimum(levels, 15, out=levels).astype(np.uint8)
    return nibbles[:, :, 0::2] | np.left_shift(nibbles[:, :, 1::2], 4, dtype=np.uint8), scale
