"""The encoder in CoreML's intermediate language: mel frames in, hidden states out, everything between in float16.

It is the graph that whisper.cpp's models/convert-whisper-to-coreml.py traces: convolutions as convolutions, attention
as two products and a softmax. CoreML itself fuses them for the device that it finds.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from whisper_models.convert.checkpoint import WhisperCheckpoint
from whisper_models.convert.coreml.tools import Builder as mb  # noqa: N813 - as everybody calls it
from whisper_models.convert.coreml.tools import types

OUTPUT = "output"
"""What whisper.cpp calls it; the input is called as the program's argument."""
ENCODER = "model.encoder."
STRIDE = 2  # of the second convolution: mel frames for each hidden state
EPSILON = np.float16(1e-5)

Var = Any
"""A value of the program; coremltools has no types."""


def encoder_program(checkpoint: WhisperCheckpoint) -> Any:
    """The program, which holds the weights of the encoder, in float16 and once.

    Raises:
        UnsupportedCheckpoint: float16 cannot hold a number.
    """
    sizes = checkpoint.dimensions
    shape = (1, sizes.num_mel_bins, STRIDE * sizes.max_source_positions)

    def program(logmel_data: Var) -> Var:
        hidden = Encoder(checkpoint).write(mb.cast(x=logmel_data, dtype="fp16"))
        return mb.cast(x=hidden, dtype="fp32", name=OUTPUT)

    build: Any = mb.program(input_specs=[mb.TensorSpec(shape=shape, dtype=types.fp32)])
    return build(program)


def encoder_bytes(checkpoint: WhisperCheckpoint) -> int:
    """How many bytes the encoder's weights have in float16."""
    weights = checkpoint.weights
    return sum(2 * math.prod(weights.shape(name)) for name in weights if name.startswith(ENCODER))


class Encoder:
    """Writes the encoder's operations into the program that is being built."""

    def __init__(self, checkpoint: WhisperCheckpoint) -> None:
        self._sizes = checkpoint.dimensions
        self._weights = checkpoint.weights

    def write(self, mel: Var) -> Var:
        """(1, mel bins, frames) → (1, frames / 2, width)."""
        x = self._convolution(mel, "conv1", stride=1)
        x = self._convolution(x, "conv2", stride=STRIDE)
        positions = self._weights.half(f"{ENCODER}embed_positions.weight")[None]
        x = mb.add(x=mb.transpose(x=x, perm=[0, 2, 1]), y=positions)
        for index in range(self._sizes.encoder_layers):
            x = self._layer(x, f"{ENCODER}layers.{index}")
        return self._norm(x, f"{ENCODER}layer_norm")

    def _layer(self, x: Var, layer: str) -> Var:
        normed = self._norm(x, f"{layer}.self_attn_layer_norm")
        x = mb.add(x=x, y=self._attention(normed, f"{layer}.self_attn"))
        normed = self._norm(x, f"{layer}.final_layer_norm")
        inner = mb.gelu(x=self._linear(normed, f"{layer}.fc1"), mode="EXACT")
        return mb.add(x=x, y=self._linear(inner, f"{layer}.fc2"))

    def _attention(self, x: Var, name: str) -> Var:
        scale = np.float16((self._sizes.d_model // self._sizes.encoder_attention_heads) ** -0.5)
        query = mb.mul(x=self._linear(x, f"{name}.q_proj"), y=scale)  # before the product, which float16 could not hold
        key, value = self._linear(x, f"{name}.k_proj"), self._linear(x, f"{name}.v_proj")
        scores = mb.matmul(x=self._heads(query), y=self._heads(key), transpose_y=True)
        heard = mb.matmul(x=mb.softmax(x=scores, axis=-1), y=self._heads(value))
        joined = mb.reshape(x=mb.transpose(x=heard, perm=[0, 2, 1, 3]), shape=x.shape)
        return self._linear(joined, f"{name}.out_proj")

    def _heads(self, x: Var) -> Var:
        """(1, time, width) → (1, heads, time, head width)."""
        time, width = x.shape[1:]
        heads = self._sizes.encoder_attention_heads
        return mb.transpose(x=mb.reshape(x=x, shape=[1, time, heads, width // heads]), perm=[0, 2, 1, 3])

    def _convolution(self, x: Var, name: str, stride: int) -> Var:
        weight = self._weights.half(f"{ENCODER}{name}.weight")
        bias = self._weights.half(f"{ENCODER}{name}.bias")
        x = mb.conv(x=x, weight=weight, bias=bias, strides=[stride], pad_type="custom", pad=[1, 1])
        return mb.gelu(x=x, mode="EXACT")

    def _linear(self, x: Var, name: str) -> Var:
        bias = f"{name}.bias"
        some = {"bias": self._weights.half(bias)} if bias in self._weights else {}
        return mb.linear(x=x, weight=self._weights.half(f"{name}.weight"), **some)

    def _norm(self, x: Var, name: str) -> Var:
        gamma, beta = self._weights.half(f"{name}.weight"), self._weights.half(f"{name}.bias")
        return mb.layer_norm(x=x, axes=[-1], gamma=gamma, beta=beta, epsilon=EPSILON)
