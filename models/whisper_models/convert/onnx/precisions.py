"""Which linear layer stands where in each precision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from whisper_models.artifact import Precision
from whisper_models.convert.onnx.cross import Cross, FloatCross, Int8Cross
from whisper_models.convert.onnx.linear import Linear, blockwise_int4, blockwise_int8, dynamic_int8, float32


@dataclass(frozen=True, slots=True)
class Linears:
    """One kind of layer for each part of the model."""

    encoder: Linear
    decoder: Linear
    output: Linear
    """From the last hidden state to logits."""
    cross: Cross
    """How what was heard is kept for the decoder."""


LINEARS: Mapping[Precision, Linears] = MappingProxyType(
    {
        Precision.FP32: Linears(float32, float32, float32, FloatCross()),
        # A decoder has one token at a time and waits for its weights. Those in blocks come twice as fast out of memory,
        # and are nearer to the original; an encoder computes, and takes twice as long in them.
        Precision.INT8: Linears(dynamic_int8, blockwise_int8, blockwise_int8, Int8Cross()),
        # Logits in 4 bits cost more words than all layers together.
        Precision.INT4: Linears(dynamic_int8, blockwise_int4, blockwise_int8, Int8Cross()),
    }
)
"""The precisions that an ONNX variant can have."""
