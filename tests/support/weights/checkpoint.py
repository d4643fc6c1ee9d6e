"""CTranslate2's names and fused projections → the tensors of a published Whisper checkpoint, as they are stored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.support.weights.ctranslate2 import Tensors

Named = tuple[str, npt.NDArray[Any]]

# layer parts: CTranslate2's path → the checkpoint's; fused ones list their projections in row order
PLAIN = {
    "self_attention/linear_1": "self_attn.out_proj",
    "attention/linear_0": "encoder_attn.q_proj",
    "attention/linear_2": "encoder_attn.out_proj",
    "ffn/linear_0": "fc1",
    "ffn/linear_1": "fc2",
}
NORMS = {
    "self_attention/layer_norm": "self_attn_layer_norm",
    "attention/layer_norm": "encoder_attn_layer_norm",
    "ffn/layer_norm": "final_layer_norm",
}
FUSED = {
    "self_attention/linear_0": ("self_attn", ("q_proj", "k_proj", "v_proj")),
    "attention/linear_1": ("encoder_attn", ("k_proj", "v_proj")),
}


def layers(tensors: Tensors, stack: str) -> int:
    """How many layers the encoder or decoder has."""
    return len({name.split("/")[1] for name in tensors if name.startswith(f"{stack}/layer_") and "/ffn/" in name})


def checkpoint(tensors: Tensors) -> Tensors:
    """All tensors under their published names, nothing rounded."""
    named: Tensors = {
        "model.encoder.embed_positions.weight": tensors["encoder/position_encodings/encodings"],
        "model.decoder.embed_positions.weight": tensors["decoder/position_encodings/encodings"],
        "model.decoder.embed_tokens.weight": tensors["decoder/embeddings/weight"],
    }
    named.update(_linear(tensors, "encoder/conv1", "model.encoder.conv1"))
    named.update(_linear(tensors, "encoder/conv2", "model.encoder.conv2"))
    for stack in ("encoder", "decoder"):
        named.update(_norm(tensors, f"{stack}/layer_norm", f"model.{stack}.layer_norm"))
        for index in range(layers(tensors, stack)):
            named.update(_layer(tensors, f"{stack}/layer_{index}", f"model.{stack}.layers.{index}"))
    return {name: np.ascontiguousarray(array) for name, array in named.items()}


def _layer(tensors: Tensors, source: str, target: str) -> Iterator[Named]:
    for part, name in PLAIN.items():
        if f"{source}/{part}/weight" in tensors:  # an encoder layer has no cross-attention
            yield from _linear(tensors, f"{source}/{part}", f"{target}.{name}")
    for part, name in NORMS.items():
        if f"{source}/{part}/gamma" in tensors:
            yield from _norm(tensors, f"{source}/{part}", f"{target}.{name}")
    for part, (name, projections) in FUSED.items():
        if f"{source}/{part}/weight" in tensors:
            yield from _projections(tensors, f"{source}/{part}", f"{target}.{name}", projections)


def _linear(tensors: Tensors, source: str, target: str) -> Iterator[Named]:
    yield f"{target}.weight", tensors[f"{source}/weight"]
    yield f"{target}.bias", tensors[f"{source}/bias"]


def _norm(tensors: Tensors, source: str, target: str) -> Iterator[Named]:
    yield f"{target}.weight", tensors[f"{source}/gamma"]
    yield f"{target}.bias", tensors[f"{source}/beta"]


def _projections(tensors: Tensors, source: str, target: str, names: tuple[str, ...]) -> Iterator[Named]:
    weights = np.split(tensors[f"{source}/weight"], len(names))
    biases = np.split(tensors[f"{source}/bias"], len(names))
    for name, weight, bias in zip(names, weights, biases, strict=True):
        yield f"{target}.{name}.weight", weight
        if name != "k_proj":  # Whisper's key projection has no bias; the fused one is padded with zeros
            yield f"{target}.{name}.bias", bias
        elif bias.any():
            raise ValueError(f"{source} has a key bias: this is not a Whisper model")
