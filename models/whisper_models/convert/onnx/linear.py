"""One linear layer in each precision. A weight is (outputs, inputs), as in checkpoints; activations are floats."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import numpy as np

from whisper_models.artifact import Precision
from whisper_models.convert.onnx.graph import FUSED, Graph
from whisper_models.convert.weights import Array

_LEVELS = 63
"""Weights use 7 of their 8 bits: CPUs without VNNI add two products in 16 bits, and with all 8 that sum is cut off. The
encoder's output then differs from float32 by 18 % instead of 15 %; with 7 it is 15 % everywhere, at the same speed."""


class Linear(Protocol):
    """Writes `x @ weight.T + bias` and returns the result's name."""

    def __call__(self, graph: Graph, x: str, name: str, weight: Array, bias: Array | None) -> str:
        """The constants are called after `name`."""
        ...


def float32(graph: Graph, x: str, name: str, weight: Array, bias: Array | None) -> str:
    """Nothing rounded."""
    product = graph.op("MatMul", x, graph.weight(f"{name}.weight.T", weight.T))
    return product if bias is None else graph.op("Add", product, graph.weight(f"{name}.bias", bias))


def dynamic_int8(graph: Graph, x: str, name: str, weight: Array, bias: Array | None) -> str:
    """Weights in int8 with a scale for each output; activations in 8 bits with one scale, found as they come."""
    scale = np.maximum(np.abs(weight).max(axis=1), 1e-8) / _LEVELS
    rounded = np.rint(weight / scale[:, None]).astype(np.int8)
    x_values, x_scale, x_zero = graph.quantized(x)
    return graph.op(
        "MatMulIntegerToFloat",
        x_values,
        graph.weight(f"{name}.weight.T.int8", rounded.T),
        x_scale,
        graph.weight(f"{name}.scale", scale.astype(np.float32)),
        x_zero,
        graph.weight(f"zeros.{len(scale)}", np.zeros(len(scale), np.int8)),
        "" if bias is None else graph.weight(f"{name}.bias", bias),
        domain=FUSED,
    )


LINEAR: Mapping[Precision, Linear] = MappingProxyType({Precision.FP32: float32, Precision.INT8: dynamic_int8})
"""The precisions that an ONNX variant can have."""
