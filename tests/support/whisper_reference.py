"""Whisper written down once more, in plain numpy: what our graphs are compared with. Slow, short, and from the paper.

Nothing is fused, cached or quantised; convolutions are convolutions, attention is softmax(q k / sqrt(d)) v.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_ERF = np.vectorize(math.erf, otypes=[np.float32])


class Reference:
    """A checkpoint's forward pass: `encode` mel frames, then `decode` a whole sequence of tokens."""

    def __init__(self, tensors: Mapping[str, npt.NDArray[Any]], heads: int) -> None:
        self.tensors: dict[str, Floats] = {
            name.removeprefix("model."): array.astype(np.float32) for name, array in tensors.items()
        }
        self.heads = heads

    def encode(self, mel: Floats) -> Floats:
        """(mel bins, frames) → (frames / 2, width)."""
        x = _gelu(self._convolve(mel, "encoder.conv1", stride=1))
        x = _gelu(self._convolve(x, "encoder.conv2", stride=2)).T
        x = x + self.tensors["encoder.embed_positions.weight"][: len(x)]
        for layer in self._layers("encoder"):
            normed = self._norm(x, f"{layer}.self_attn_layer_norm")
            x = x + self._attend(normed, normed, f"{layer}.self_attn")[0]
            x = self._feed_forward(x, layer)
        return self._norm(x, "encoder.layer_norm")

    def decode(self, tokens: list[int], heard: Floats) -> tuple[Floats, list[Floats]]:
        """Logits after every token, and each layer's cross-attention (heads, tokens, frames / 2)."""
        x = self.tensors["decoder.embed_tokens.weight"][tokens]
        x = x + self.tensors["decoder.embed_positions.weight"][: len(tokens)]
        attentions = []
        for layer in self._layers("decoder"):
            normed = self._norm(x, f"{layer}.self_attn_layer_norm")
            x = x + self._attend(normed, normed, f"{layer}.self_attn", causal=True)[0]
            normed = self._norm(x, f"{layer}.encoder_attn_layer_norm")
            attended, attention = self._attend(normed, heard, f"{layer}.encoder_attn")
            attentions.append(attention)
            x = self._feed_forward(x + attended, layer)
        logits: Floats = self._norm(x, "decoder.layer_norm") @ self.tensors["decoder.embed_tokens.weight"].T
        return logits, attentions

    def _layers(self, stack: str) -> list[str]:
        count = len({name.split(".")[2] for name in self.tensors if name.startswith(f"{stack}.layers.")})
        return [f"{stack}.layers.{index}" for index in range(count)]

    def _linear(self, x: Floats, name: str) -> Floats:
        result: Floats = x @ self.tensors[f"{name}.weight"].T + self.tensors.get(f"{name}.bias", np.float32(0))
        return result

    def _norm(self, x: Floats, name: str) -> Floats:
        centred: Floats = x - x.mean(axis=-1, keepdims=True)
        scaled: Floats = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)
        return scaled * self.tensors[f"{name}.weight"] + self.tensors[f"{name}.bias"]

    def _feed_forward(self, x: Floats, layer: str) -> Floats:
        inner = _gelu(self._linear(self._norm(x, f"{layer}.final_layer_norm"), f"{layer}.fc1"))
        return x + self._linear(inner, f"{layer}.fc2")

    def _attend(self, x: Floats, source: Floats, name: str, *, causal: bool = False) -> tuple[Floats, Floats]:
        query, key, value = (
            self._linear(of, f"{name}.{kind}_proj").reshape(len(of), self.heads, -1).swapaxes(0, 1)
            for of, kind in ((x, "q"), (source, "k"), (source, "v"))
        )
        scores = query @ key.swapaxes(1, 2) / np.sqrt(np.float32(query.shape[-1]))
        if causal:
            scores = scores + np.triu(np.full(scores.shape[-2:], -np.inf, np.float32), k=1)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights = weights / weights.sum(axis=-1, keepdims=True)
        joined = (weights @ value).swapaxes(0, 1).reshape(len(x), -1)
        return self._linear(joined, f"{name}.out_proj"), weights

    def _convolve(self, x: Floats, name: str, stride: int) -> Floats:
        """(channels, frames), kernel 3, one frame of padding on each side."""
        padded = np.pad(x, ((0, 0), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, 3, axis=1)[:, ::stride]
        product: Floats = np.einsum("oik,itk->ot", self.tensors[f"{name}.weight"], windows, optimize=True)
        return product + self.tensors[f"{name}.bias"][:, None]


def _gelu(x: Floats) -> Floats:
    result: Floats = x * (1 + _ERF(x / np.sqrt(np.float32(2)))) / 2
    return result
