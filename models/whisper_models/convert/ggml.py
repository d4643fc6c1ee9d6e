"""A checkpoint → the GGML file that whisper.cpp reads, in f16.

The file is a header of dimensions, the mel filter bank, the vocabulary as bytes, then the tensors one after another.
Matrices are f16; what is added to activations (biases, norms, positions) stays f32, as whisper.cpp expects.
Smaller precisions are made from this file by `ggml_quantize`.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from whisper_models.convert.checkpoint import OUTPUT, Dimensions, open_checkpoint
from whisper_models.errors import UnsupportedCheckpoint

MAGIC = 0x67676D6C
F32, F16 = 0, 1
"""GGML's numbers for the two types of tensors written here; the file's own type is F16 as well."""

_FFT = 400
_RATE = 16_000

_IN_A_LAYER: Mapping[str, str] = {
    "self_attn.q_proj": "attn.query",
    "self_attn.k_proj": "attn.key",
    "self_attn.v_proj": "attn.value",
    "self_attn.out_proj": "attn.out",
    "self_attn_layer_norm": "attn_ln",
    "encoder_attn.q_proj": "cross_attn.query",
    "encoder_attn.k_proj": "cross_attn.key",
    "encoder_attn.v_proj": "cross_attn.value",
    "encoder_attn.out_proj": "cross_attn.out",
    "encoder_attn_layer_norm": "cross_attn_ln",
    "fc1": "mlp.0",
    "fc2": "mlp.2",
    "final_layer_norm": "mlp_ln",
}
_OUTSIDE: Mapping[str, str] = {
    "encoder.conv1.weight": "encoder.conv1.weight",
    "encoder.conv1.bias": "encoder.conv1.bias",
    "encoder.conv2.weight": "encoder.conv2.weight",
    "encoder.conv2.bias": "encoder.conv2.bias",
    "encoder.embed_positions.weight": "encoder.positional_embedding",
    "encoder.layer_norm.weight": "encoder.ln_post.weight",
    "encoder.layer_norm.bias": "encoder.ln_post.bias",
    "decoder.embed_tokens.weight": "decoder.token_embedding.weight",
    "decoder.embed_positions.weight": "decoder.positional_embedding",
    "decoder.layer_norm.weight": "decoder.ln.weight",
    "decoder.layer_norm.bias": "decoder.ln.bias",
}
_COLUMNS = frozenset({"encoder.conv1.bias", "encoder.conv2.bias"})
"""Biases that whisper.cpp adds along time and therefore wants as a column."""
_ALWAYS_F32 = _COLUMNS | {"encoder.positional_embedding", "decoder.positional_embedding"}


def write_ggml(source: Path, target: Path) -> None:
    """Write the checkpoint in folder `source` to the file `target`."""
    checkpoint = open_checkpoint(source)
    tokenizer = json.loads((source / "tokenizer.json").read_text())
    with target.open("wb") as file:
        _integers(file, *_header(checkpoint.dimensions))
        mel = mel_filters(checkpoint.dimensions.num_mel_bins)
        _integers(file, *mel.shape)
        file.write(mel.tobytes())
        vocabulary = list(_vocabulary(tokenizer))
        _integers(file, len(vocabulary))
        for token in vocabulary:
            _integers(file, len(token))
            file.write(token)
        for name, tensor in checkpoint.weights.items():
            if not name.startswith(f"{OUTPUT}."):  # GGML has no place for it: it is tied to the token embedding
                _tensor(file, ggml_name(name), tensor)


def _header(sizes: Dimensions) -> tuple[int, ...]:
    return (
        MAGIC,
        sizes.vocab_size,
        sizes.max_source_positions,
        sizes.d_model,
        sizes.encoder_attention_heads,
        sizes.encoder_layers,
        sizes.max_target_positions,
        sizes.d_model,
        sizes.decoder_attention_heads,
        sizes.decoder_layers,
        sizes.num_mel_bins,
        F16,
    )


def _tensor(file: BinaryIO, name: str, tensor: NDArray[Any]) -> None:
    whole = tensor.ndim < 2 or name in _ALWAYS_F32  # noqa: PLR2004 - a vector
    data = tensor.reshape(-1, 1) if name in _COLUMNS else tensor
    data = np.ascontiguousarray(data, np.float32 if whole else np.float16)
    encoded = name.encode()
    _integers(file, data.ndim, len(encoded), F32 if whole else F16, *reversed(data.shape))
    file.write(encoded)
    file.write(data.tobytes())


def ggml_name(name: str) -> str:
    """The name under which whisper.cpp looks for a checkpoint's tensor."""
    inner = name.removeprefix("model.")
    match inner.split("."):
        case [("encoder" | "decoder") as side, "layers", number, *rest] if ".".join(rest[:-1]) in _IN_A_LAYER:
            return f"{side}.blocks.{number}.{_IN_A_LAYER['.'.join(rest[:-1])]}.{rest[-1]}"
        case _ if inner in _OUTSIDE:
            return _OUTSIDE[inner]
    raise UnsupportedCheckpoint(f"tensor {name} has no place in a GGML Whisper: the checkpoint is not a plain Whisper")


def _vocabulary(tokenizer: Mapping[str, Any]) -> Iterator[bytes]:
    """The byte sequences of all ordinary tokens by number; whisper.cpp adds the special ones itself."""
    special = {token["content"] for token in tokenizer["added_tokens"]}
    byte_of = _byte_of_character()
    for token, _ in sorted(tokenizer["model"]["vocab"].items(), key=lambda item: int(item[1])):
        if token not in special:
            yield bytes(byte_of[character] for character in token)


def _byte_of_character() -> dict[str, int]:
    """Byte-level BPE writes each byte as one visible character: itself where it prints, else from 256 on."""
    visible = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    hidden = [byte for byte in range(256) if byte not in visible]
    return {chr(byte): byte for byte in visible} | {chr(256 + place): byte for place, byte in enumerate(hidden)}


def mel_filters(bins: int) -> NDArray[np.float32]:
    """The triangular filters (bins, 201) on Slaney's mel scale, each of area one, that Whisper was trained with."""
    frequencies = np.linspace(0, _RATE / 2, _FFT // 2 + 1)
    corners = _hertz(np.linspace(0, _mel_of_nyquist(), bins + 2))
    low, centre, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    rising, falling = (frequencies - low) / (centre - low), (high - frequencies) / (high - centre)
    triangles = np.maximum(0, np.minimum(rising, falling))
    return np.asarray(triangles * 2 / (high - low), np.float32)


_LINEAR_UP_TO = 1000.0
_HERTZ_PER_MEL = 200 / 3
_MELS_PER_NATURAL_LOG = 27 / np.log(6.4)


def _mel_of_nyquist() -> float:
    return float(_LINEAR_UP_TO / _HERTZ_PER_MEL + np.log(_RATE / 2 / _LINEAR_UP_TO) * _MELS_PER_NATURAL_LOG)


def _hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    knee = _LINEAR_UP_TO / _HERTZ_PER_MEL
    return np.where(mels < knee, mels * _HERTZ_PER_MEL, _LINEAR_UP_TO * np.exp((mels - knee) / _MELS_PER_NATURAL_LOG))


def _integers(file: BinaryIO, *values: int) -> None:
    file.write(struct.pack(f"<{len(values)}i", *values))
