"""What encoder, decoder and alignment graph have in common: norms, projections, heads, the feed-forward pair."""

from __future__ import annotations

import math
from dataclasses import dataclass

from whisper_models.convert.onnx.graph import FUSED, Graph
from whisper_models.convert.onnx.linear import Linear
from whisper_models.convert.weights import Weights

EPSILON = 1e-5


@dataclass(frozen=True, slots=True)
class Blocks:
    """Writes a transformer's parts into a graph from the checkpoint's tensors of the same names."""

    graph: Graph
    weights: Weights
    write_linear: Linear
    heads: int
    width: int

    @property
    def head_width(self) -> int:
        """Numbers per head."""
        return self.width // self.heads

    @property
    def head_scale(self) -> float:
        """What a query is multiplied with before it meets the keys."""
        return 1.0 / math.sqrt(self.head_width)

    def linear(self, x: str, name: str) -> str:
        """A projection of the checkpoint; the key projections have no bias."""
        bias = self.weights.reader(f"{name}.bias") if f"{name}.bias" in self.weights else None
        return self.write_linear(self.graph, x, name, self.weights.reader(f"{name}.weight"), bias)

    def norm(self, x: str, name: str, output: str | None = None) -> str:
        """A layer norm over the last axis."""
        scale, shift = (self.tensor(f"{name}.{kind}") for kind in ("weight", "bias"))
        return self.graph.op("LayerNormalization", x, scale, shift, name=output, axis=-1, epsilon=EPSILON)

    def tensor(self, name: str) -> str:
        """A tensor of the checkpoint as it is."""
        return self.graph.weight(name, self.weights.reader(name))

    def gelu(self, x: str) -> str:
        """The exact one, which Whisper was trained with."""
        return self.graph.op("Gelu", x, domain=FUSED)

    def split_heads(self, x: str, name: str | None = None) -> str:
        """(1, T, width) → (1, heads, T, head width)."""
        split = self.graph.op("Reshape", x, self.graph.ints(0, 0, self.heads, self.head_width))
        return self.graph.op("Transpose", split, name=name, perm=[0, 2, 1, 3])

    def attend(self, query: str, key: str, value: str, *, causal: bool = False) -> str:
        """Attention over unsplit queries; keys and values may be split already."""
        return self.graph.op(
            "MultiHeadAttention", query, key, value, domain=FUSED, num_heads=self.heads, unidirectional=int(causal)
        )

    def feed_forward(self, x: str, layer: str) -> str:
        """The second half of every layer, residual included."""
        inner = self.gelu(self.linear(self.norm(x, f"{layer}.final_layer_norm"), f"{layer}.fc1"))
        return self.graph.op("Add", x, self.linear(inner, f"{layer}.fc2"))
