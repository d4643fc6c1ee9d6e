"""A Whisper's encoder as an OpenVINO model, with the names that openvino_genai looks for."""

from __future__ import annotations

import openvino as ov
from openvino import opset13 as ops

from whisper_models.convert.checkpoint import WhisperCheckpoint
from whisper_models.convert.openvino.blocks import Blocks, named_input, named_result
from whisper_models.convert.openvino.constants import Node, Storage, integers


def encoder(checkpoint: WhisperCheckpoint, storage: Storage) -> ov.Model:
    """input_features (batch, mel bins, 3000) → last_hidden_state (batch, 1500, width)."""
    sizes = checkpoint.dimensions
    blocks = Blocks(checkpoint.weights, storage, sizes.d_model, sizes.encoder_attention_heads)
    frames = 2 * sizes.max_source_positions  # the second convolution takes every other one
    features = named_input("input_features", [-1, sizes.num_mel_bins, frames], ov.Type.f32)
    x = _convolution(blocks, features, "model.encoder.conv1", stride=1)
    x = _convolution(blocks, x, "model.encoder.conv2", stride=2)
    x = ops.add(ops.transpose(x, integers([0, 2, 1])), blocks.table("model.encoder.embed_positions.weight"))
    for number in range(sizes.encoder_layers):
        x = _layer(blocks, x, f"model.encoder.layers.{number}")
    result = named_result(blocks.norm(x, "model.encoder.layer_norm"), "last_hidden_state")
    return ov.Model([result], [features], "whisper_encoder")


def _convolution(blocks: Blocks, x: Node, name: str, stride: int) -> Node:
    y = ops.convolution(x, blocks.table(f"{name}.weight"), [stride], [1], [1], [1])
    bias = ops.unsqueeze(blocks.vector(f"{name}.bias", None), integers(2))
    return ops.gelu(ops.add(y, bias), "erf")


def _layer(blocks: Blocks, x: Node, layer: str) -> Node:
    name = f"{layer}.self_attn"
    normal = blocks.norm(x, f"{name}_layer_norm")
    query, key, value = (blocks.projected(normal, name, part) for part in ("q_proj", "k_proj", "v_proj"))
    return blocks.feed_forward(ops.add(x, blocks.attention(query, key, value, name)), layer)
