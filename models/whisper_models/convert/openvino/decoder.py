"""A Whisper's stateful decoder as an OpenVINO model, with the names that openvino_genai looks for.

It keeps its keys and values inside (states), so a step is given only the new tokens: the self-attention's grow
with each step, the cross-attention's are computed from the encoder's output by the step that finds them empty.
`beam_idx` reorders the former, as in every stateful model of OpenVINO.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import openvino as ov
from openvino import opset6
from openvino import opset13 as ops

from whisper_models.convert.checkpoint import EMBEDDING, OUTPUT, WhisperCheckpoint
from whisper_models.convert.openvino.blocks import Blocks, named_input, named_result
from whisper_models.convert.openvino.constants import Node, Storage, floats, integers

_MINUS_INFINITY = -65504.0
"""The least f16: devices may compute in it."""


def decoder(checkpoint: WhisperCheckpoint, storage: Storage) -> ov.Model:
    """input_ids, encoder_hidden_states, beam_idx → logits (batch, tokens, vocabulary)."""
    return _Decoder.begin(checkpoint, storage).finish(checkpoint.dimensions.decoder_layers)


@dataclass(slots=True)
class _Decoder:
    """The decoder while it is written: its inputs, and the states that its layers read and assign."""

    blocks: Blocks
    ids: Node
    hidden: Node
    beams: Node
    empty: Node  # keys or values of no position yet
    vocabulary: Node  # the table that tokens are looked up in
    output: Node  # and the one that logits are computed with, which is the same unless a fine-tune untied them
    sinks: list[Node] = field(default_factory=list)

    @classmethod
    def begin(cls, checkpoint: WhisperCheckpoint, storage: Storage) -> _Decoder:
        sizes = checkpoint.dimensions
        blocks = Blocks(checkpoint.weights, storage, sizes.d_model, sizes.decoder_attention_heads)
        ids = named_input("input_ids", [-1, -1], ov.Type.i64)
        hidden = named_input("encoder_hidden_states", [-1, -1, blocks.width], ov.Type.f32)
        beams = named_input("beam_idx", [-1], ov.Type.i32)
        batch = ops.gather(ops.shape_of(ids), integers([0]), integers(0))
        shape = ops.concat([batch, integers([blocks.heads, 0, blocks.head_width])], 0)
        vocabulary = blocks.vocabulary(EMBEDDING)
        output = vocabulary if checkpoint.output_is_tied() else blocks.vocabulary(OUTPUT)
        return cls(blocks, ids, hidden, beams, ops.broadcast(floats(0.0), shape), vocabulary, output)

    def finish(self, layers: int) -> ov.Model:
        pasts = [{part: self._past(number, part) for part in ("key", "value")} for number in range(layers)]
        past = ops.gather(ops.shape_of(pasts[0]["key"]), integers(2), integers(0))
        new = ops.gather(ops.shape_of(self.ids), integers(1), integers(0))
        total = ops.add(past, new)
        positions = ops.range(past, total, integers(1), ov.Type.i64)
        x, mask = self._embedded(positions), _causal(positions, total)
        for number in range(layers):
            x = self._layer(x, number, pasts[number], mask)
        x = self.blocks.norm(x, "model.decoder.layer_norm")
        logits = ops.matmul(x, self.output, False, True)
        result = named_result(logits, "logits")
        return ov.Model([result], self.sinks, [self.ids, self.hidden, self.beams], "whisper_decoder")

    def _embedded(self, positions: Node) -> Node:
        tokens = ops.gather(self.vocabulary, self.ids, integers(0))
        places = ops.gather(self.blocks.table("model.decoder.embed_positions.weight"), positions, integers(0))
        return ops.add(tokens, ops.unsqueeze(places, integers(0)))

    def _layer(self, x: Node, number: int, past: Mapping[str, Node], mask: Node) -> Node:
        layer = f"model.decoder.layers.{number}"
        x = ops.add(x, self._self_attention(x, number, past, mask))
        name = f"{layer}.encoder_attn"
        query = self.blocks.projected(self.blocks.norm(x, f"{name}_layer_norm"), name, "q_proj")
        key, value = (self._of_the_audio(number, part) for part in ("key", "value"))
        x = ops.add(x, self.blocks.attention(query, key, value, name))
        return self.blocks.feed_forward(x, layer)

    def _self_attention(self, x: Node, number: int, past: Mapping[str, Node], mask: Node) -> Node:
        name = f"model.decoder.layers.{number}.self_attn"
        normal = self.blocks.norm(x, f"{name}_layer_norm")
        query = self.blocks.projected(normal, name, "q_proj")
        grown = {}
        for part in ("key", "value"):
            latest = self.blocks.projected(normal, name, f"{part[0]}_proj")
            grown[part] = ops.concat([past[part], latest], 2)
            self._assign(grown[part], _past_name(number, part))
        return self.blocks.attention(query, grown["key"], grown["value"], name, mask)

    def _past(self, number: int, part: str) -> Node:
        stored = self._read(self.empty, _past_name(number, part))
        return ops.gather(stored, self.beams, integers(0))

    def _of_the_audio(self, number: int, part: str) -> Node:
        """Cross-attention's keys or values: computed while the state is empty, read afterwards."""
        name = f"cross.{number}.{part}"
        attention = f"model.decoder.layers.{number}.encoder_attn"
        node = self._read(self.blocks.projected(self.hidden, attention, f"{part[0]}_proj"), name)
        self._assign(node, name)
        return node

    def _read(self, initial: Node, name: str) -> Node:
        return opset6.read_value(initial, name, ov.Type.f32, self._state_shape())

    def _assign(self, node: Node, name: str) -> None:
        self.sinks.append(opset6.assign(node, name))

    def _state_shape(self) -> ov.PartialShape:
        return ov.PartialShape([-1, self.blocks.heads, -1, self.blocks.head_width])


def _past_name(number: int, part: str) -> str:
    return f"past_key_values.{number}.decoder.{part}present.{number}.decoder.{part}"


def _causal(positions: Node, total: Node) -> Node:
    """(1, 1, new, total): zero where a token may look, else the least number."""
    every = ops.range(integers(0), total, integers(1), ov.Type.i64)
    visible = ops.less_equal(ops.unsqueeze(every, integers(0)), ops.unsqueeze(positions, integers(1)))
    return ops.unsqueeze(ops.select(visible, floats(0.0), floats(_MINUS_INFINITY)), integers([0, 1]))
