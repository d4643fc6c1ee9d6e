"""What is changed in a Whisper's OpenVINO graphs before they are compiled, so that our decode loop can run them.

The graphs are those of `whisper-models convert` or of optimum-intel. Both are written for a window of 30 s, and for
logits of every token; neither shows what the decoder listens to.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import openvino as ov
from openvino import opset13 as ops

MEL, POSITIONS, HIDDEN = "input_features", "positions", "last_hidden_state"
IDS, AUDIO, BEAMS = "input_ids", "encoder_hidden_states", "beam_idx"
LOGITS, ATTENTION = "logits", "attention"
SAID = "past_key_values"
"""How the names of the states begin that hold what was said; the others hold what was heard."""

Heads = Iterable[tuple[int, int]]
"""(layer, head)"""
_ATTENTION = "ScaledDotProductAttention"


class UnfitGraphError(ValueError):
    """A graph is not built as we know it."""

    def __init__(self, file: str, what: str) -> None:
        super().__init__(f"{file} {what}: make it with `whisper-models convert --formats openvino`")


def with_positions(encoder: ov.Model) -> None:
    """For windows of any length: what was a table of 1500 positions that is added is now looked up in, for each step.

    Raises:
        UnfitGraphError
    """
    names = {port.get_any_name() for port in encoder.inputs}
    if names != {MEL} or encoder.input(MEL).partial_shape[2].is_dynamic:
        raise UnfitGraphError("openvino_encoder_model.xml", f"has the inputs {sorted(names)}, or no length")
    steps = encoder.input(MEL).partial_shape[2].get_length() // 2
    added, table = _added_table(encoder, steps)
    positions = ops.parameter(ov.PartialShape([-1]), ov.Type.i64, name=POSITIONS)
    positions.output(0).set_names({POSITIONS})
    rows = _constant(len(table.get_partial_shape()) - 2)
    added.replace_source_output(ops.gather(table, positions, rows).output(0))
    _free_reshapes(encoder, steps)
    encoder.add_parameters([positions])
    encoder.reshape({MEL: [1, _bins(encoder), -1], POSITIONS: [-1]})


def with_attention(decoder: ov.Model, heads: Heads) -> None:
    """For one window at a time: logits of the last token only, and how much each token listens to each step.

    The attention of these heads is computed once more, beside the layers' own, since their fused one hides it.

    Raises:
        UnfitGraphError
    """
    names = {port.get_any_name() for port in decoder.inputs}
    if names != {IDS, AUDIO, BEAMS} or not any(SAID in state.info.variable_id for state in decoder.get_variables()):
        raise UnfitGraphError(
            "openvino_decoder_model.xml", f"keeps no states, or has inputs we do not know: {sorted(names)}"
        )
    decoder.add_results([_attention(decoder, sorted(heads))])
    _only_last_token(decoder)
    width = decoder.input(AUDIO).partial_shape[2]
    decoder.reshape({IDS: [1, -1], AUDIO: [1, -1, width], BEAMS: [1]})


def _bins(encoder: ov.Model) -> int:
    """Of the spectrogram; a graph that leaves them open says them in its first convolution."""
    first = next(node for node in encoder.get_ordered_ops() if node.get_type_name() == "Convolution")
    return int(first.input_value(1).get_shape()[1])


def _added_table(encoder: ov.Model, steps: int) -> tuple[Any, Any]:
    """The input of the addition that takes the positions, and the table."""
    for node in encoder.get_ordered_ops():
        for port in node.inputs() if node.get_type_name() == "Add" else ():
            shape = port.get_partial_shape()
            if shape.is_static and len(shape) > 1 and shape[len(shape) - 2].get_length() == steps:
                return port, port.get_source_output()
    raise UnfitGraphError("openvino_encoder_model.xml", f"adds no table of {steps} positions")


def _free_reshapes(encoder: ov.Model, steps: int) -> None:
    """Where the length is written into a new shape, it is taken from the old one."""
    for node in encoder.get_ordered_ops():
        shape = node.input_value(1).get_node() if node.get_type_name() == "Reshape" else None
        if shape is not None and shape.get_type_name() == "Constant":
            wanted = shape.get_data().tolist()
            if len(wanted) > 1 and wanted[1] == steps:
                node.input(1).replace_source_output(_constant([wanted[0], 0, *wanted[2:]]).output(0))


def _attention(decoder: ov.Model, heads: list[tuple[int, int]]) -> Any:
    """(1, heads, tokens, steps): for each head, the softmax of its queries and keys."""
    layers = [node for node in decoder.get_ordered_ops() if _of_the_audio(node)]
    for layer, head in heads:
        if layer >= len(layers):
            what = f"has {len(layers)} layers that listen to the audio, and none for head {head} of {layer}"
            raise UnfitGraphError("openvino_decoder_model.xml", what)
    found = []
    for at in sorted({layer for layer, _ in heads}):
        query, key, _, _, scale = layers[at].input_values()
        scores = ops.matmul(ops.multiply(query, scale), key, False, True)
        mine = _constant([head for layer, head in heads if layer == at])
        found.append(ops.softmax(ops.gather(scores, mine, _constant(1)), -1))
    result = ops.result(ops.concat(found, 1))
    result.output(0).set_names({ATTENTION})
    return result


def _of_the_audio(node: Any) -> bool:
    return node.get_type_name() == _ATTENTION and "encoder_attn" in node.get_friendly_name()


def _only_last_token(decoder: ov.Model) -> None:
    """Nobody asks for the others, and a row of logits is a product with the whole vocabulary."""
    product = decoder.output(LOGITS).get_node().input_value(0).get_node()
    if product.get_type_name() != "MatMul":
        raise UnfitGraphError("openvino_decoder_model.xml", f"makes its logits by {product.get_type_name()}")
    last = ops.gather(product.input_value(0), _constant([-1]), _constant(1))
    product.input(0).replace_source_output(last.output(0))


def _constant(value: Any) -> Any:
    return ops.constant(np.asarray(value, np.int64))
