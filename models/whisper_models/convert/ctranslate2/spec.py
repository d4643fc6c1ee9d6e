"""CTranslate2's own description of a Whisper model, filled from a checkpoint.

Names, order, quantisation and the file itself are the library's; here is only which tensor goes where. Nothing is read
until the library wants it.
"""

from __future__ import annotations

from typing import Any

from ctranslate2.specs import WhisperSpec

from whisper_models.convert.checkpoint import EMBEDDING, OUTPUT, WhisperCheckpoint
from whisper_models.convert.ctranslate2.variable import Stored, Tensor
from whisper_models.convert.weights import Weights


def filled(checkpoint: WhisperCheckpoint) -> Any:
    """The library's WhisperSpec with every weight in its place."""
    sizes = checkpoint.dimensions
    spec = WhisperSpec(
        sizes.encoder_layers, sizes.encoder_attention_heads, sizes.decoder_layers, sizes.decoder_attention_heads
    )
    fill = _Fill(checkpoint.weights)
    fill.linear(spec.encoder.conv1, "model.encoder.conv1")
    fill.linear(spec.encoder.conv2, "model.encoder.conv2")
    fill.stack(spec.encoder, "model.encoder")
    fill.stack(spec.decoder, "model.decoder")
    spec.decoder.embeddings.weight = fill.tensor(f"{EMBEDDING}.weight")
    output = OUTPUT if f"{OUTPUT}.weight" in checkpoint.weights else EMBEDDING
    spec.decoder.projection.weight = fill.tensor(f"{output}.weight")
    return spec


class _Fill:
    """Puts tensors of a checkpoint into parts of a spec."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights

    def tensor(self, *names: str) -> Stored:
        """These tensors, one below the other."""
        return Stored(self._weights, [self._named(name) for name in names])

    def linear(self, spec: Any, *names: str) -> None:
        """One layer of all these projections; those without a bias get one of zeros if another has one."""
        spec.weight = self.tensor(*(f"{name}.weight" for name in names))
        if any(f"{name}.bias" in self._weights for name in names):
            spec.bias = Stored(self._weights, [self._bias(name) for name in names])

    def stack(self, spec: Any, name: str) -> None:
        """Positions, layers and the last norm of encoder or decoder."""
        spec.position_encodings.encodings = self.tensor(f"{name}.embed_positions.weight")
        self._norm(spec.layer_norm, f"{name}.layer_norm")
        for index, layer in enumerate(spec.layer):
            self._layer(layer, f"{name}.layers.{index}")

    def _layer(self, spec: Any, name: str) -> None:
        own = f"{name}.self_attn"
        self.linear(spec.self_attention.linear[0], *(f"{own}.{kind}_proj" for kind in "qkv"))
        self.linear(spec.self_attention.linear[1], f"{own}.out_proj")
        self._norm(spec.self_attention.layer_norm, f"{own}_layer_norm")
        if hasattr(spec, "attention"):  # of the decoder, over what the encoder heard
            cross = f"{name}.encoder_attn"
            self.linear(spec.attention.linear[0], f"{cross}.q_proj")
            self.linear(spec.attention.linear[1], f"{cross}.k_proj", f"{cross}.v_proj")
            self.linear(spec.attention.linear[2], f"{cross}.out_proj")
            self._norm(spec.attention.layer_norm, f"{cross}_layer_norm")
        self.linear(spec.ffn.linear_0, f"{name}.fc1")
        self.linear(spec.ffn.linear_1, f"{name}.fc2")
        self._norm(spec.ffn.layer_norm, f"{name}.final_layer_norm")

    def _norm(self, spec: Any, name: str) -> None:
        spec.gamma, spec.beta = self.tensor(f"{name}.weight"), self.tensor(f"{name}.bias")

    def _named(self, name: str) -> Tensor:
        return Tensor(name, self._weights.shape(name))

    def _bias(self, name: str) -> Tensor:
        bias = f"{name}.bias"
        return (
            self._named(bias)
            if bias in self._weights
            else Tensor("", self._weights.shape(f"{name}.weight")[:1], stored=False)
        )
