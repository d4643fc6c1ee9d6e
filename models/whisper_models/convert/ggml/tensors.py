"""Which tensor of a checkpoint goes where in a GGML Whisper, and in which shape.

In the order of the files that whisper.cpp's authors publish. Matrices are packed as the file's type says; what is
added to activations (biases, norms, positions) stays f32, and the convolutions f16, as whisper.cpp expects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from whisper_models.convert.checkpoint import EMBEDDING, OUTPUT, Dimensions, WhisperCheckpoint
from whisper_models.convert.ggml.types import F16, F32, TensorType
from whisper_models.errors import UnsupportedCheckpoint

_SELF: Mapping[str, str] = {
    "mlp_ln": "final_layer_norm",
    "mlp.0": "fc1",
    "mlp.2": "fc2",
    "attn_ln": "self_attn_layer_norm",
    "attn.query": "self_attn.q_proj",
    "attn.key": "self_attn.k_proj",
    "attn.value": "self_attn.v_proj",
    "attn.out": "self_attn.out_proj",
}
_CROSS: Mapping[str, str] = {
    "cross_attn_ln": "encoder_attn_layer_norm",
    "cross_attn.query": "encoder_attn.q_proj",
    "cross_attn.key": "encoder_attn.k_proj",
    "cross_attn.value": "encoder_attn.v_proj",
    "cross_attn.out": "encoder_attn.out_proj",
}
_WITHOUT_BIAS = frozenset({"attn.key", "cross_attn.key"})
_MATRIX = 2


@dataclass(frozen=True, slots=True)
class Placed:
    """One tensor of the file."""

    name: str  # under which whisper.cpp looks for it
    source: str  # its name in the checkpoint
    shape: tuple[int, ...]  # outermost first
    kind: TensorType


def placed(checkpoint: WhisperCheckpoint, matrices: TensorType) -> list[Placed]:
    """Every tensor of the file, in order.

    Raises:
        UnsupportedCheckpoint: the checkpoint lacks one, or has one that whisper.cpp has no place for.
    """
    weights = checkpoint.weights
    names = dict(_names(checkpoint.dimensions))
    if missing := sorted(set(names.values()) - weights.keys()):
        raise UnsupportedCheckpoint(f"there is no tensor {missing[0]}: it is not a Whisper checkpoint as published")
    if odd := sorted(weights.keys() - set(names.values()) - {f"{OUTPUT}.weight"}):
        raise UnsupportedCheckpoint(f"tensor {odd[0]} has no place in a GGML Whisper: use another format")
    if not checkpoint.output_is_tied():
        raise UnsupportedCheckpoint(
            f"{OUTPUT}.weight differs from the token embedding, which whisper.cpp uses for both: use another format"
        )
    return [_placed(name, source, weights.shape(source), matrices) for name, source in names.items()]


def _placed(name: str, source: str, shape: tuple[int, ...], matrices: TensorType) -> Placed:
    if name.endswith((".conv1.bias", ".conv2.bias")):  # added along time, and therefore a column
        return Placed(name, source, (*shape, 1), F32)
    if len(shape) < _MATRIX or name.endswith(".positional_embedding"):
        return Placed(name, source, shape, F32)
    if len(shape) > _MATRIX:
        return Placed(name, source, shape, F16)
    if shape[-1] % matrices.block:
        raise UnsupportedCheckpoint(
            f"{source} has rows of {shape[-1]} numbers, which are not whole blocks of {matrices.block}: use f16"
        )
    return Placed(name, source, shape, matrices)


def _names(sizes: Dimensions) -> Iterator[tuple[str, str]]:
    """whisper.cpp's name and the checkpoint's."""
    yield "decoder.positional_embedding", "model.decoder.embed_positions.weight"
    yield "encoder.positional_embedding", "model.encoder.embed_positions.weight"
    yield "decoder.token_embedding.weight", f"{EMBEDDING}.weight"
    for number in range(sizes.decoder_layers):
        yield from _layer("decoder", number, {**_SELF, **_CROSS})
    yield from _pair("decoder.ln", "model.decoder.layer_norm")
    for convolution in ("conv1", "conv2"):
        yield from _pair(f"encoder.{convolution}", f"model.encoder.{convolution}")
    for number in range(sizes.encoder_layers):
        yield from _layer("encoder", number, _SELF)
    yield from _pair("encoder.ln_post", "model.encoder.layer_norm")


def _layer(side: str, number: int, parts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for ours, theirs in parts.items():
        pair = _pair(f"{side}.blocks.{number}.{ours}", f"model.{side}.layers.{number}.{theirs}")
        yield from pair[:1] if ours in _WITHOUT_BIAS else pair


def _pair(ours: str, theirs: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return (f"{ours}.weight", f"{theirs}.weight"), (f"{ours}.bias", f"{theirs}.bias")
