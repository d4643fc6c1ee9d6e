"""Constants of a graph in the precision that they are stored in, each followed by what makes floats of it again.

The operations and their order are the ones by which OpenVINO's plugins know compressed weights, and keep them so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops
from openvino._offline_transformations import compress_model_transformation

from whisper_models.artifact import Precision
from whisper_models.convert.openvino.rounding import Rounded, rounded
from whisper_models.convert.weights import Array

Node = Any
"""An openvino.Node: the library ships no types."""
Store = Callable[[str, Array], Node]
"""(name, numbers) → a node of f32, whose constant bears the name."""

GROUPS = (64, 32)
"""How many numbers of a row may share a step in 4 bits; the first that divides it."""


def floats(value: Any, name: str = "") -> Node:
    """A constant of f32."""
    constant = ops.constant(np.asarray(value, np.float32))
    if name:
        constant.set_friendly_name(name)
    return constant


def integers(value: Any) -> Node:
    """A constant of i64, the type of shapes, axes and positions."""
    return ops.constant(np.asarray(value, np.int64))


def half(name: str, numbers: Array) -> Node:
    """f16, marked as compressed; f32 where f16 cannot hold a number."""
    model = ov.Model([ops.result(floats(numbers, name))], [], name)
    compress_model_transformation(model)  # the mark can be made in no other way from Python
    marked = model.get_results()[0].input_value(0).get_node()
    marked.output(0).set_names(set())  # the result's
    return marked


def int8(name: str, numbers: Array) -> Node:
    """A matrix (rows, width) in 8 bits, with a step for each row."""
    rows, width = numbers.shape
    found = rounded(numbers, bits=8, group=width)
    flat = Rounded(found.values.reshape(rows, width), found.zeros.reshape(rows, 1), found.steps.reshape(rows, 1))
    return ops.convert(_restored(name, flat, ops.constant), ov.Type.f32)


def int4(name: str, numbers: Array) -> Node:
    """A matrix in 4 bits, with a step for each group of a row; in 8 bits if its rows have no such groups."""
    width = numbers.shape[1]
    group = next((size for size in GROUPS if width % size == 0), None)
    if group is None:
        return int8(name, numbers)
    grouped = _restored(name, rounded(numbers, bits=4, group=group), _u4)
    return ops.convert(ops.reshape(grouped, integers(numbers.shape), False), ov.Type.f32)


def _restored(name: str, found: Rounded, constant: Callable[[NDArray[np.uint8]], Node]) -> Node:
    """(value - zero) * step in f16."""
    values, zeros, steps = constant(found.values), constant(found.zeros), ops.constant(found.steps)
    for node, suffix in ((values, ""), (zeros, "/zero_point"), (steps, "/scale")):
        node.set_friendly_name(name + suffix)
    apart = ops.subtract(ops.convert(values, ov.Type.f16), ops.convert(zeros, ov.Type.f16))
    return ops.multiply(apart, steps)


def _u4(values: NDArray[np.uint8]) -> Node:
    """Two values of four bits a byte, the first in the lower half."""
    tensor = ov.Tensor(ov.Type.u4, ov.Shape(values.shape))
    packed, flat = tensor.data.reshape(-1), values.reshape(-1)
    packed[:] = flat[0::2]
    packed[: flat.size // 2] |= flat[1::2] << np.uint8(4)
    return ops.constant(tensor, shared_memory=True)


@dataclass(frozen=True, slots=True)
class Storage:
    """How each kind of matrix is stored."""

    linear: Store
    vocabulary: Store  # looked up as well as multiplied with: 4 bits cost it too much


STORAGE: Mapping[Precision, Storage] = MappingProxyType(
    {
        Precision.FP16: Storage(half, half),
        Precision.INT8: Storage(int8, int8),
        Precision.INT4: Storage(int4, int8),
    }
)
