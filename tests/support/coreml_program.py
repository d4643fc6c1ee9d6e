"""Runs a CoreML package's program in numpy, as it is on disk: only the operations that an encoder is made of.

Every value is rounded to the type that the program declares for it, so what float16 cannot hold is not hidden.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from coremltools.proto import MIL_pb2, Model_pb2

Values = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]

DATA = "Data/com.apple.CoreML"
BLOB = struct.Struct("<IIQQ")
SENTINEL = 0xDEADBEEF
TYPES: Mapping[int, type[Any]] = {
    MIL_pb2.FLOAT16: np.float16,
    MIL_pb2.FLOAT32: np.float32,
    MIL_pb2.INT32: np.int32,
    MIL_pb2.BOOL: np.bool_,
    MIL_pb2.STRING: np.str_,
}
IMMEDIATE = {"ints": np.int32, "floats": np.float32, "bools": np.bool_, "strings": np.str_}


class Program:
    """The one function of a package."""

    def __init__(self, package: Path) -> None:
        model = Model_pb2.Model()
        model.ParseFromString((package / DATA / "model.mlmodel").read_bytes())
        self.description = model.description
        function = model.mlProgram.functions["main"]
        self._block = function.block_specializations[function.opset]
        self._weights = (package / DATA / "weights/weight.bin").read_bytes()

    @property
    def operations(self) -> list[str]:
        """The types of all operations but constants, in order."""
        return [operation.type for operation in self._block.operations if operation.type != "const"]

    def run(self, **inputs: Floats) -> dict[str, Values]:
        """Its outputs by name."""
        values: dict[str, Values] = dict(inputs)
        for operation in self._block.operations:
            (output,) = operation.outputs
            declared = output.type.tensorType
            if operation.type == "const":
                found = self._value(operation.attributes["val"])
            else:
                arguments = {name: self._argument(binding, values) for name, binding in operation.inputs.items()}
                found = OPERATIONS[operation.type](**arguments)
            shape = tuple(one.constant.size for one in declared.dimensions)
            if found.shape != shape:
                raise AssertionError(f"{output.name} is {found.shape}, the program says {shape}")
            with np.errstate(over="ignore"):  # it is infinite then, which nobody takes for right
                values[output.name] = found.astype(TYPES[declared.dataType])
        return {name: values[name] for name in self._block.outputs}

    def _argument(self, argument: Any, values: Mapping[str, Values]) -> Values:
        (binding,) = argument.arguments
        return values[binding.name] if binding.WhichOneof("binding") == "name" else self._value(binding.value)

    def _value(self, value: Any) -> Values:
        kind = value.type.tensorType
        shape = tuple(one.constant.size for one in kind.dimensions)
        if value.WhichOneof("value") == "blobFileValue":
            return self._blob(value.blobFileValue.offset, TYPES[kind.dataType]).reshape(shape)
        tensor = value.immediateValue.tensor
        which = tensor.WhichOneof("value")
        if which == "bytes":
            return np.frombuffer(tensor.bytes.values, TYPES[kind.dataType]).reshape(shape)
        return np.array(getattr(tensor, which).values, IMMEDIATE[which]).reshape(shape)

    def _blob(self, at: int, kind: type[Any]) -> Values:
        sentinel, _, size, offset = BLOB.unpack_from(self._weights, at)
        assert sentinel == SENTINEL
        return np.frombuffer(self._weights[offset : offset + size], kind)


def _cast(x: Values, dtype: Values) -> Values:
    return x.astype({"fp16": np.float16, "fp32": np.float32}[str(dtype)])


def _conv(  # noqa: PLR0913, PLR0917 - as the operation has them
    x: Values,
    weight: Values,
    bias: Values,
    strides: Values,
    pad_type: Values,
    pad: Values,
    dilations: Values,
    groups: Values,
) -> Values:
    assert (str(pad_type), dilations.tolist(), int(groups)) == ("custom", [1], 1)
    padded = np.pad(x[0].astype(np.float32), ((0, 0), tuple(pad)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[2], axis=1)[:, :: int(strides[0])]
    product = np.einsum("oik,itk->ot", weight.astype(np.float32), windows, optimize=True)
    return np.asarray(product + bias[:, None])[None]


def _linear(x: Values, weight: Values, bias: Values) -> Values:
    return np.asarray(x.astype(np.float32) @ weight.astype(np.float32).T + bias)


def _matmul(x: Values, y: Values, transpose_x: Values, transpose_y: Values) -> Values:
    assert not transpose_x
    other = y.swapaxes(-1, -2) if transpose_y else y
    return np.asarray(x.astype(np.float32) @ other.astype(np.float32))


def _softmax(x: Values, axis: Values) -> Values:
    wide = x.astype(np.float32)
    raised = np.exp(wide - wide.max(axis=int(axis), keepdims=True))
    return np.asarray(raised / raised.sum(axis=int(axis), keepdims=True))


def _layer_norm(x: Values, axes: Values, gamma: Values, beta: Values, epsilon: Values) -> Values:
    wide, along = x.astype(np.float32), tuple(axes)
    centred = wide - wide.mean(axis=along, keepdims=True)
    deviation = np.sqrt((centred**2).mean(axis=along, keepdims=True) + np.float32(epsilon))
    return np.asarray(centred / deviation * gamma + beta)


def _gelu_of_every_half() -> Floats:
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(float)
    return np.array(
        [x * (1 + math.erf(x / math.sqrt(2))) / 2 if math.isfinite(x) else math.nan for x in halves], np.float32
    )


_GELU = _gelu_of_every_half()


def _gelu(x: Values, mode: Values) -> Values:
    assert str(mode) == "EXACT"
    assert x.dtype == np.float16
    return np.asarray(_GELU[np.ascontiguousarray(x).view(np.uint16)])


OPERATIONS: Mapping[str, Callable[..., Values]] = {
    "add": lambda x, y: np.asarray(x.astype(np.float32) + y),
    "cast": _cast,
    "conv": _conv,
    "gelu": _gelu,
    "layer_norm": _layer_norm,
    "linear": _linear,
    "matmul": _matmul,
    "mul": lambda x, y: np.asarray(x.astype(np.float32) * y),
    "reshape": lambda x, shape: x.reshape(shape),
    "softmax": _softmax,
    "transpose": lambda x, perm: x.transpose(perm),
}
