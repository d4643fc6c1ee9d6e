"""The decoder graph: one for the prompt and for every single token after it, of one window or of B at once.

Inputs: `ids` (B, S), `pos` (S); `cross_k.L`, `cross_v.L` from the encoder; `past_k.L`, `past_v.L` (B, heads, M, head
width), a buffer of fixed length M; `seqlens_k` (B) and `total` (1): the tokens after this call, less one, and all.
The audio's keys and values are float32, or 8 bits with scales beside them: see `cross`.
Outputs: `logits` (B, 1, vocabulary) of the last position; `present_k.L`, `present_v.L`, which are the `past` buffers
when both are bound to the same memory: the new keys and values are written in place, and nothing grows.
The windows of a batch are in step with each other, and after their first call they are fed one token each.
"""

from __future__ import annotations

from collections.abc import Callable

from whisper_models.convert.checkpoint import EMBEDDING, OUTPUT, WhisperCheckpoint
from whisper_models.convert.onnx.blocks import Blocks
from whisper_models.convert.onnx.cross import WINDOWS, Cross
from whisper_models.convert.onnx.graph import FLOAT, FUSED, INT32, INT64, Graph
from whisper_models.convert.onnx.precisions import Linears

Attend = Callable[[Blocks, str, int], str]
"""From unsplit queries and the number of a layer to what was heard."""

POSITIONS = "model.decoder.embed_positions"


def write_decoder(graph: Graph, checkpoint: WhisperCheckpoint, linears: Linears) -> None:
    """Write nodes, inputs and outputs of the decoder."""
    sizes = checkpoint.dimensions
    decoder = Blocks(graph, checkpoint.weights, linears.decoder, sizes.decoder_attention_heads, sizes.d_model)
    x = embed(decoder, sizes.decoder_layers, linears.cross)
    graph.output("logits", FLOAT, [WINDOWS, 1, sizes.vocab_size])
    graph.input("seqlens_k", INT32, [WINDOWS])
    graph.input("total", INT32, [1])
    for index in range(sizes.decoder_layers):
        layer = f"model.decoder.layers.{index}"
        x = _self_attention(decoder, x, index, layer)
        x = decoder.feed_forward(cross_attention(decoder, x, index, layer, linears.cross.attend), layer)
    last = graph.op("Gather", x, graph.ints(-1), axis=1)
    normed = decoder.norm(last, "model.decoder.layer_norm")
    logits = linears.output(graph, normed, OUTPUT, checkpoint.output_matrix, None)
    graph.op("Identity", logits, name="logits")


def embed(decoder: Blocks, layers: int, cross: Cross) -> str:
    """Tokens and their positions → the first hidden states; declares these inputs and the cross-attention's."""
    graph = decoder.graph
    graph.input("ids", INT64, [WINDOWS, "S"])
    graph.input("pos", INT64, ["S"])
    for index in range(layers):
        cross.declare(decoder, index)
    return graph.op("Add", _look_up(decoder, EMBEDDING, "ids"), _look_up(decoder, POSITIONS, "pos"))


def cross_attention(decoder: Blocks, x: str, index: int, layer: str, attend: Attend) -> str:
    """Attention over what was heard, residual included."""
    attended = attend(decoder, cross_query(decoder, x, layer), index)
    return decoder.graph.op("Add", x, decoder.linear(attended, f"{layer}.encoder_attn.out_proj"))


def cross_query(decoder: Blocks, x: str, layer: str) -> str:
    """What a layer asks the encoder's output."""
    return decoder.linear(decoder.norm(x, f"{layer}.encoder_attn_layer_norm"), f"{layer}.encoder_attn.q_proj")


def _self_attention(decoder: Blocks, x: str, index: int, layer: str) -> str:
    graph, attention = decoder.graph, f"{layer}.self_attn"
    buffers = [f"past_{kind}.{index}" for kind in "kv"]
    shape: list[int | str] = [WINDOWS, decoder.heads, "M", decoder.head_width]
    for buffer in buffers:
        graph.input(buffer, FLOAT, shape)
    normed = decoder.norm(x, f"{attention}_layer_norm")
    projections = [decoder.linear(normed, f"{attention}.{kind}_proj") for kind in "qkv"]
    attended, *present = graph.ops(
        "GroupQueryAttention",
        *projections,
        *buffers,
        "seqlens_k",
        "total",
        names=(f"attended.{index}", f"present_k.{index}", f"present_v.{index}"),
        domain=FUSED,
        num_heads=decoder.heads,
        kv_num_heads=decoder.heads,
    )
    for name in present:
        graph.output(name, FLOAT, shape)
    return graph.op("Add", x, decoder.linear(attended, f"{attention}.out_proj"))


def _look_up(decoder: Blocks, name: str, indices: str) -> str:
    """Rows of a table kept in half precision: it is only read from, and that is how Whisper was published."""
    table = decoder.graph.weight(f"{name}.weight.fp16", lambda: decoder.weights.half(f"{name}.weight"))
    rows = decoder.graph.op("Gather", table, indices)
    return decoder.graph.op("Cast", rows, to=FLOAT)
