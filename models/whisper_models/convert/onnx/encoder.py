"""The encoder graph: mel frames in, hidden states and every layer's cross keys and values out.

Inputs: `mel` (1, frames, mel bins), time first, an even number of frames; `epos` (frames / 2), the position of each
output frame, which lets a short clip sit anywhere in the window that the model was trained on.
Outputs: `hidden` (1, T, width); `cross_k.L`, `cross_v.L` (1, heads, T, head width), computed once for all tokens,
or the same in 8 bits with `cross_k_scale.L`, `cross_v_scale.L` beside them.
"""

from __future__ import annotations

from whisper_models.convert.checkpoint import WhisperCheckpoint
from whisper_models.convert.onnx.blocks import Blocks
from whisper_models.convert.onnx.cross import KINDS
from whisper_models.convert.onnx.graph import FLOAT, INT64, Graph
from whisper_models.convert.onnx.linear import Linear, float32
from whisper_models.convert.onnx.precisions import Linears
from whisper_models.convert.weights import Array

END = 1 << 40  # beyond any length, which means "to the end" in a Slice


def write_encoder(graph: Graph, checkpoint: WhisperCheckpoint, linears: Linears) -> None:
    """Write nodes, inputs and outputs of the encoder."""
    sizes, weights = checkpoint.dimensions, checkpoint.weights
    encoder = Blocks(graph, weights, linears.encoder, sizes.encoder_attention_heads, sizes.d_model)
    graph.input("mel", FLOAT, [1, "F", sizes.num_mel_bins])
    graph.input("epos", INT64, ["T"])
    x = _convolutions(encoder)
    positions = encoder.tensor("model.encoder.embed_positions.weight")
    x = graph.op("Add", x, graph.op("Gather", positions, "epos"))
    for index in range(sizes.encoder_layers):
        x = _layer(encoder, x, f"model.encoder.layers.{index}")
    encoder.norm(x, "model.encoder.layer_norm", output="hidden")
    graph.output("hidden", FLOAT, [1, "T", sizes.d_model])
    decoder = Blocks(graph, weights, linears.encoder, sizes.decoder_attention_heads, sizes.d_model)
    for index in range(sizes.decoder_layers):
        for kind in KINDS:
            projected = decoder.linear("hidden", f"model.decoder.layers.{index}.encoder_attn.{kind}_proj")
            linears.cross.write(decoder, projected, f"cross_{kind}.{index}")


def _layer(encoder: Blocks, x: str, layer: str) -> str:
    attention = f"{layer}.self_attn"
    normed = encoder.norm(x, f"{attention}_layer_norm")
    query, key, value = (encoder.linear(normed, f"{attention}.{kind}_proj") for kind in "qkv")
    attended = encoder.linear(encoder.attend(query, key, value), f"{attention}.out_proj")
    return encoder.feed_forward(encoder.graph.op("Add", x, attended), layer)


def _convolutions(encoder: Blocks) -> str:
    """Both convolutions as linear layers over three neighbouring frames, which a matrix product does faster.

    The first has stride 1 and stays in float32, since it reads the mel values themselves; the second has stride 2, so
    frames are taken in pairs (2t, 2t+1) with the last frame of the pair before.
    """
    graph, width = encoder.graph, encoder.width
    padded = _pad(graph, "mel", before=1, after=1)
    shifted = [_time(graph, padded, 0, -2), _time(graph, padded, 1, -1), _time(graph, padded, 2, END)]
    x = _convolution(encoder, graph.op("Concat", *shifted, axis=2), "model.encoder.conv1", float32)
    pairs = graph.op("Reshape", x, graph.ints(0, -1, 2 * width))
    padded = _pad(graph, pairs, before=1, after=0)
    previous = graph.op("Slice", padded, graph.ints(0, width), graph.ints(-1, 2 * width), graph.ints(1, 2))
    triple = graph.op("Concat", previous, pairs, axis=2)
    return _convolution(encoder, triple, "model.encoder.conv2", encoder.write_linear)


def _convolution(encoder: Blocks, x: str, name: str, linear: Linear) -> str:
    def taps_first() -> Array:
        return encoder.weights[f"{name}.weight"].transpose(0, 2, 1).reshape(encoder.width, -1)

    return encoder.gelu(linear(encoder.graph, x, name, taps_first, encoder.weights.reader(f"{name}.bias")))


def _pad(graph: Graph, x: str, *, before: int, after: int) -> str:
    return graph.op("Pad", x, graph.ints(0, before, 0, 0, after, 0))


def _time(graph: Graph, x: str, start: int, end: int) -> str:
    return graph.op("Slice", x, graph.ints(start), graph.ints(end), graph.ints(1))
