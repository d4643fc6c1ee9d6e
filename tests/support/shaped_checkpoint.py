"""Checkpoints in the shape of large-v3, or with fewer layers of that width, written without holding them in memory."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.support import random_checkpoint

Shape = tuple[int, ...]
DRAWN = 1 << 20


@dataclass(frozen=True, slots=True)
class Sizes:
    """Those of large-v3, with as many layers in encoder and decoder as wanted."""

    layers: int = 32
    width: int = 1280
    inner: int = 5120
    heads: int = 20
    vocabulary: int = 51866
    mel_bins: int = 128
    window: int = 1500
    text: int = 448

    def tensors(self) -> Iterator[tuple[str, Shape]]:
        """Every tensor's name and shape."""
        yield "model.encoder.conv1.weight", (self.width, self.mel_bins, 3)
        yield "model.encoder.conv1.bias", (self.width,)
        yield "model.encoder.conv2.weight", (self.width, self.width, 3)
        yield "model.encoder.conv2.bias", (self.width,)
        yield "model.encoder.embed_positions.weight", (self.window, self.width)
        yield "model.decoder.embed_positions.weight", (self.text, self.width)
        yield "model.decoder.embed_tokens.weight", (self.vocabulary, self.width)
        for stack, attentions in (("encoder", ["self_attn"]), ("decoder", ["self_attn", "encoder_attn"])):
            yield from self._norm(f"model.{stack}.layer_norm")
            for index in range(self.layers):
                yield from self._layer(f"model.{stack}.layers.{index}", attentions)

    def _layer(self, layer: str, attentions: list[str]) -> Iterator[tuple[str, Shape]]:
        yield f"{layer}.fc1.weight", (self.inner, self.width)
        yield f"{layer}.fc1.bias", (self.inner,)
        yield f"{layer}.fc2.weight", (self.width, self.inner)
        yield f"{layer}.fc2.bias", (self.width,)
        yield from self._norm(f"{layer}.final_layer_norm")
        for attention in attentions:
            yield from self._norm(f"{layer}.{attention}_layer_norm")
            for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
                yield f"{layer}.{attention}.{name}.weight", (self.width, self.width)
                if name != "k_proj":
                    yield f"{layer}.{attention}.{name}.bias", (self.width,)

    def _norm(self, name: str) -> Iterator[tuple[str, Shape]]:
        yield f"{name}.weight", (self.width,)
        yield f"{name}.bias", (self.width,)


def write(folder: Path, sizes: Sizes) -> Path:
    """The checkpoint in float16; its numbers are random, and no two tensors are the same."""
    random_checkpoint.write_configs(folder, sizes.mel_bins)
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "d_model": sizes.width,
        "vocab_size": sizes.vocabulary,
        "encoder_layers": sizes.layers,
        "decoder_layers": sizes.layers,
        "encoder_attention_heads": sizes.heads,
        "decoder_attention_heads": sizes.heads,
        "max_source_positions": sizes.window,
        "max_target_positions": sizes.text,
    }
    (folder / "config.json").write_text(json.dumps(config))
    entries, end = {}, 0
    for name, shape in sizes.tensors():
        begin, end = end, end + 2 * math.prod(shape)
        entries[name] = {"dtype": "F16", "shape": shape, "data_offsets": [begin, end]}
    header = json.dumps(entries).encode()
    header += b" " * (-len(header) % 8)
    numbers = (np.random.default_rng(0).standard_normal(2 * DRAWN) * 0.02).astype(np.float16)
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for place, (_, shape) in enumerate(sizes.tensors()):
            left = math.prod(shape)
            while left:
                count = min(left, DRAWN)
                file.write(numbers[place : place + count].data)
                left -= count
    return folder
