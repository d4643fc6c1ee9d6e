"""One linear layer in each precision. A weight is (outputs, inputs), as in checkpoints; activations are floats."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Protocol

import numpy as np
import numpy.typing as npt

from whisper_models.artifact import Precision
from whisper_models.convert.onnx.graph import FUSED, Graph
from whisper_models.convert.weights import Array, Read

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


LINEAR: Mapping[Precision, Linear] = MappingProxyType({Precision.FP32: float32, Precision.INT8: dynamic_int8})
"""The precisions that an ONNX variant can have."""
