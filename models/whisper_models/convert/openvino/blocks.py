"""The pieces of a transformer as OpenVINO operations: what the encoder and the decoder of a Whisper share.

A `Blocks` holds a checkpoint's tensors and writes operations; it knows nothing of inputs, states or files.

Two things in `attention` look redundant and are not. All five inputs of ScaledDotProductAttention are given, because
the pass that exposes the alignment heads for word times matches only that form; and the query is scaled here, with a
scale of one inside, because the CPU plugin otherwise takes a path that doubles the time of a decoding step.
"""

from __future__ import annotations

from dataclasses import dataclass

import openvino as ov
from openvino import opset13 as ops

from whisper_models.convert.openvino.constants import Node, Storage, floats, half, integers
from whisper_models.convert.weights import Weights

_EPSILON = 1e-5


def named_input(name: str, shape: list[int], kind: ov.Type) -> Node:
    """A parameter whose tensor has the name that openvino_genai feeds; -1 is a free dimension."""
    parameter = ops.parameter(ov.PartialShape(shape), kind, name=name)
    parameter.output(0).set_names({name})
    return parameter


def named_result(node: Node, name: str) -> Node:
    """A result whose tensor has the name that openvino_genai reads."""
    result = ops.result(node)
    result.output(0).set_names({name})
    return result


@dataclass(frozen=True, slots=True)
class Blocks:
    """Writes the layers of one checkpoint."""

    tensors: Weights
    storage: Storage
    width: int
    heads: int

    @property
    def head_width(self) -> int:
        """How many numbers of a position one head sees."""
        return self.width // self.heads

    def table(self, name: str) -> Node:
        """A tensor that is small beside the layers, in f16."""
        return half(name, self.tensors[name])

    def vocabulary(self, name: str) -> Node:
        """A matrix with a row for each token."""
        return self.storage.vocabulary(f"{name}.weight", self.tensors[f"{name}.weight"])

    def vector(self, name: str, *before: None) -> Node:
        """What is added to or multiplied with activations, in f32; a new axis for each of `before`."""
        return floats(self.tensors[name][before], name)

    def linear(self, x: Node, name: str) -> Node:
        """A projection, with its bias where the checkpoint has one (keys have none)."""
        weight, bias = f"{name}.weight", f"{name}.bias"
        product = ops.matmul(x, self.storage.linear(weight, self.tensors[weight]), False, True)
        return ops.add(product, self.vector(bias, None, None)) if bias in self.tensors else product

    def norm(self, x: Node, name: str) -> Node:
        """Layer normalisation over the width."""
        normal = ops.mvn(x, integers([-1]), True, _EPSILON, "INSIDE_SQRT")
        scaled = ops.multiply(normal, self.vector(f"{name}.weight", None, None))
        return ops.add(scaled, self.vector(f"{name}.bias", None, None))

    def feed_forward(self, x: Node, layer: str) -> Node:
        """The layer's second half, with its residual."""
        inner = self.linear(self.norm(x, f"{layer}.final_layer_norm"), f"{layer}.fc1")
        return ops.add(x, self.linear(ops.gelu(inner, "erf"), f"{layer}.fc2"))

    def split_heads(self, x: Node) -> Node:
        """(batch, time, width) → (batch, heads, time, head width)."""
        shape = integers([0, 0, self.heads, self.head_width])
        return ops.transpose(ops.reshape(x, shape, True), integers([0, 2, 1, 3]))

    def projected(self, x: Node, attention: str, part: str) -> Node:
        """One of q_proj, k_proj, v_proj, by heads."""
        return self.split_heads(self.linear(x, f"{attention}.{part}"))

    def attention(self, query: Node, key: Node, value: Node, name: str, mask: Node | None = None) -> Node:
        """Attention of already projected heads, merged and projected out; see the module's text for its form."""
        scaled = ops.multiply(query, floats(self.head_width**-0.5))
        mixed = ops.scaled_dot_product_attention(
            scaled, key, value, floats(0.0) if mask is None else mask, floats(1.0), causal=False
        )
        module = name.removeprefix("model.encoder.") if ".encoder." in name else name
        mixed.set_friendly_name(f"__module.{module}/aten::scaled_dot_product_attention/ScaledDotProductAttention")
        merged = ops.transpose(mixed, integers([0, 2, 1, 3]))
        return self.linear(
            ops.reshape(merged, integers([0, 0, self.width]), True),
            f"{name}.out_proj",
        )
