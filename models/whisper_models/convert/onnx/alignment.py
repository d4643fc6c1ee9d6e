"""The alignment graph: where in the audio each token was heard, which is what times of words are made from.

Inputs: `ids` (1, S) with the whole text, `pos` (S), the encoder's `cross_k.L` and `cross_v.L`.
Output: `probs` (A, S, T), the cross-attention of the A heads that the checkpoint names for this, by layer and head.
"""

from __future__ import annotations

from functools import partial

from whisper_models.convert.checkpoint import WhisperCheckpoint
from whisper_models.convert.onnx.blocks import Blocks
from whisper_models.convert.onnx.cross import attend_in_floats
from whisper_models.convert.onnx.decoder import cross_attention, cross_query, embed
from whisper_models.convert.onnx.graph import FLOAT, Graph
from whisper_models.convert.onnx.precisions import Linears


def write_alignment(graph: Graph, checkpoint: WhisperCheckpoint, linears: Linears) -> None:
    """Write nodes, inputs and outputs; layers after the last one that aligns are left out."""
    sizes = checkpoint.dimensions
    decoder = Blocks(graph, checkpoint.weights, linears.decoder, sizes.decoder_attention_heads, sizes.d_model)
    x = embed(decoder, sizes.decoder_layers, linears.cross)
    attend = partial(attend_in_floats, linears.cross)
    found = []
    last = max(layer for layer, _ in checkpoint.alignment_heads)
    for index in range(last + 1):
        layer = f"model.decoder.layers.{index}"
        x = _self_attention(decoder, x, layer)
        wanted = [head for at, head in checkpoint.alignment_heads if at == index]
        if wanted:
            keys = linears.cross.floats(decoder, "k", index)
            found.append(_probabilities(decoder, cross_query(decoder, x, layer), keys, wanted))
        if index < last:
            x = decoder.feed_forward(cross_attention(decoder, x, index, layer, attend), layer)
    graph.op("Squeeze", graph.op("Concat", *found, axis=1), graph.ints(0), name="probs")
    graph.output("probs", FLOAT, [len(checkpoint.alignment_heads), "S", "T"])


def _self_attention(decoder: Blocks, x: str, layer: str) -> str:
    attention = f"{layer}.self_attn"
    normed = decoder.norm(x, f"{attention}_layer_norm")
    query, key, value = (decoder.linear(normed, f"{attention}.{kind}_proj") for kind in "qkv")
    attended = decoder.attend(query, key, value, causal=True)
    return decoder.graph.op("Add", x, decoder.linear(attended, f"{attention}.out_proj"))


def _probabilities(decoder: Blocks, query: str, keys: str, heads: list[int]) -> str:
    """softmax(q · k) of some heads: (1, heads, S, T). The fused attention does not give them away."""
    graph = decoder.graph
    scaled = decoder.split_heads(graph.op("Mul", query, graph.floats(decoder.head_scale)))
    turned = graph.op("Transpose", keys, perm=[0, 1, 3, 2])
    chosen = [graph.op("Gather", side, graph.ints(*heads), axis=1) for side in (scaled, turned)]
    return graph.op("Softmax", graph.op("MatMul", *chosen), axis=-1)
