"""Writes ONNX graphs node by node, with weights in a file beside them.

Weights go to disk as they come, so a model of any size is written in the memory of its largest tensor, and none meets
protobuf's limit of 2 GB. Two graphs may share a file: what both use is stored once.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 20, 10
FUSED = "com.microsoft"
"""The domain of ONNX Runtime's fused operators."""

ALIGNMENT = 4096  # a page, so that a runtime can map the weights instead of copying them
INLINE = 1024  # bytes; smaller constants stay in the graph

FLOAT, INT8, INT32, INT64 = TensorProto.FLOAT, TensorProto.INT8, TensorProto.INT32, TensorProto.INT64
Shape = list[int | str]
Piece = Callable[[], tuple[str, ...]]
"""Writes some nodes; which values they make."""


class WeightFile:
    """The weights of one or more graphs, appended and kept by name."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("wb")
        self._tensors: dict[str, TensorProto] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def tensor(self, name: str, make: Callable[[], npt.NDArray[Any]]) -> TensorProto:
        """The tensor `name`; made and stored when it is first asked for, by whichever graph."""
        if name not in self._tensors:
            array = np.ascontiguousarray(make())
            small = array.nbytes <= INLINE
            self._tensors[name] = numpy_helper.from_array(array, name) if small else self._append(name, array)
        return self._tensors[name]

    def _append(self, name: str, array: npt.NDArray[Any]) -> TensorProto:
        self._file.write(b"\0" * (-self._file.tell() % ALIGNMENT))
        offset = self._file.tell()
        self._file.write(array.data)
        tensor = TensorProto(name=name, dims=array.shape, data_type=helper.np_dtype_to_tensor_dtype(array.dtype))
        tensor.data_location = TensorProto.EXTERNAL
        place = {"location": self.path.name, "offset": offset, "length": array.nbytes}
        for key, value in place.items():
            tensor.external_data.add(key=key, value=str(value))
        return tensor


class Graph:
    """One graph in the making; values are their names."""

    def __init__(self, weights: WeightFile) -> None:
        self._weights = weights
        self._nodes: list[Any] = []
        self._made = 0
        self._constants: dict[str, TensorProto] = {}
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._quantized: dict[str, tuple[str, ...]] = {}

    def input(self, name: str, kind: int, shape: Shape) -> str:
        """Declare an input."""
        self._inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def output(self, name: str, kind: int, shape: Shape) -> None:
        """Declare an output; a node must make a value of this name."""
        self._outputs.append(helper.make_tensor_value_info(name, kind, shape))

    def weight(self, name: str, make: Callable[[], npt.NDArray[Any]]) -> str:
        """A constant with a name of its own, stored beside the graph unless it is small."""
        self._constants[name] = self._weights.tensor(name, make)
        return name

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a constant."""
        return tuple(self._constants[name].dims)

    def floats(self, *values: float) -> str:
        """A small constant: one float is a scalar."""
        return self._small(np.asarray(values[0] if len(values) == 1 else values, np.float32))

    def ints(self, *values: int) -> str:
        """A small constant: always a list, as shapes, axes and indices are."""
        return self._small(np.asarray(values, np.int64))

    def int32s(self, *values: int) -> str:
        """The same for operators that want 32 bits."""
        return self._small(np.asarray(values, np.int32))

    def op(self, kind: str, *inputs: str, name: str | None = None, domain: str = "", **attributes: Any) -> str:
        """A node with one output, which is called `name` if it is given."""
        return self.ops(kind, *inputs, names=(name or self._fresh(kind),), domain=domain, **attributes)[0]

    def ops(
        self, kind: str, *inputs: str, names: tuple[str, ...], domain: str = "", **attributes: Any
    ) -> tuple[str, ...]:
        """A node with several outputs, called `names`."""
        node = helper.make_node(kind, list(inputs), list(names), self._fresh(kind), domain=domain, **attributes)
        self._nodes.append(node)
        return names

    def choose(
        self, condition: str, then: Piece, otherwise: Piece, names: tuple[str, ...], kinds: tuple[int, ...]
    ) -> None:
        """The values of one of two pieces of the graph, called `names`; only that piece runs."""
        nodes, branches = self._nodes, {}
        for name, write in (("then_branch", then), ("else_branch", otherwise)):
            self._nodes = []
            made = zip(write(), kinds, strict=True)
            results = [helper.make_tensor_value_info(value, kind, None) for value, kind in made]
            branches[name] = helper.make_graph(self._nodes, f"{name}_{len(nodes)}", [], results)
        self._nodes = nodes
        self.ops("If", condition, names=names, **branches)

    def quantized(self, x: str) -> tuple[str, ...]:
        """`x` in 8 bits: values, scale, zero point; once for all layers that read it."""
        if x not in self._quantized:
            names = (f"{x}.values", f"{x}.scale", f"{x}.zero")
            self._quantized[x] = self.ops("DynamicQuantizeLinear", x, names=names)
        return self._quantized[x]

    def save(self, path: Path) -> None:
        """Write the graph; its weights lie in the file that it was given."""
        graph = helper.make_graph(self._nodes, path.stem, self._inputs, self._outputs, list(self._constants.values()))
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(FUSED, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="whisper-models")
        path.write_bytes(onnx.ModelProto.SerializeToString(model))

    def _small(self, array: npt.NDArray[Any]) -> str:
        return self.weight(f"{array.dtype}{array.tolist()}", lambda: array)

    def _fresh(self, kind: str) -> str:
        self._made += 1
        return f"{kind}_{self._made}"
