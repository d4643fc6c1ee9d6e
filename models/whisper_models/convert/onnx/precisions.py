"""Which linear layer stands where in each precision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from whisper_models.artifact import Precision
from whisper_models.convert.onnx.linear import Linear, blockwise_int4, dynamic_int8, float32


@dataclass(frozen=True, slots=True)
class Linears:
    """One kind of layer for each part of the model."""

    encoder: Linear
    decoder: Linear
    output: Linear
    """From the last hidden state to logits."""


LINEARS: Mapping[Precision, Linears] = MappingProxyType(
    {
        Precision.FP32: Linears(float32, float32, float32),
        Precision.INT8: Linears(dynamic_int8, dynamic_int8, dynamic_int8),
        # 4 bits are for what is limited by reading its weights, which is the decoder with one token at a time. The
        # encoder computes: unpacking doubles its time. And logits in 4 bits cost more words than all layers together.
        Precision.INT4: Linears(dynamic_int8, blockwise_int4, dynamic_int8),
    }
)
"""The precisions that an ONNX variant can have."""
