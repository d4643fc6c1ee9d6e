"""A published Whisper checkpoint: its dimensions, which heads align words, and its tensors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

import numpy as np
from pydantic import BaseModel, Field, ValidationError, model_validator

from whisper_models.convert.small_files import SETTINGS, read_small, short
from whisper_models.convert.weights import Read, Weights
from whisper_models.errors import UnsupportedCheckpoint

Count = Annotated[int, Field(gt=0, le=1_000_000)]
Few = Annotated[int, Field(gt=0, le=128)]  # four times what the largest Whisper has
Head = tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]

EMBEDDING = "model.decoder.embed_tokens"
OUTPUT = "proj_out"

Model = TypeVar("Model", bound=BaseModel)


class Dimensions(BaseModel):
    """What `config.json` says about sizes; all Whisper models are this one architecture."""

    model_type: Literal["whisper"]
    activation_function: Literal["gelu"] = "gelu"
    scale_embedding: Literal[False] = False
    d_model: Count
    vocab_size: Count
    num_mel_bins: Count
    encoder_layers: Few
    decoder_layers: Few
    encoder_attention_heads: Few
    decoder_attention_heads: Few
    max_source_positions: Count
    max_target_positions: Count

    @model_validator(mode="after")
    def _whole_heads(self) -> Self:
        if self.d_model % self.encoder_attention_heads or self.d_model % self.decoder_attention_heads:
            raise ValueError("d_model cannot be divided by the number of attention heads")
        return self


class Generation(BaseModel):
    """What `generation_config.json` says about the graph, and about tokens that are never said."""

    alignment_heads: Annotated[list[Head], Field(min_length=1, fail_fast=True)] | None = None
    suppress_tokens: Annotated[list[int], Field(fail_fast=True)] | None = None
    begin_suppress_tokens: Annotated[list[int], Field(fail_fast=True)] | None = None
    lang_to_id: dict[str, int] | None = None


@dataclass(frozen=True, slots=True)
class WhisperCheckpoint:
    """Everything that a converter reads."""

    dimensions: Dimensions
    alignment_heads: tuple[tuple[int, int], ...]
    """(layer, head) of the decoder whose cross-attention follows the words."""
    weights: Weights
    generation: Generation

    @property
    def output_matrix(self) -> Read:
        """From the last hidden state to logits: the token embedding, unless a fine-tune untied it."""
        name = OUTPUT if f"{OUTPUT}.weight" in self.weights else EMBEDDING
        return self.weights.reader(f"{name}.weight")

    def output_is_tied(self) -> bool:
        """The output matrix is the token embedding, number for number."""
        output, embedding = f"{OUTPUT}.weight", f"{EMBEDDING}.weight"
        if output not in self.weights:
            return True
        return np.array_equal(self.weights.half(output), self.weights.half(embedding))


def open_checkpoint(folder: Path) -> WhisperCheckpoint:
    """The checkpoint in a folder laid out as published.

    Raises:
        UnsupportedCheckpoint: it is not a Whisper model, or one with an option that is not understood.
        Incomplete: a file is missing.
    """
    dimensions = _parse(folder / "config.json", Dimensions)
    generation = _parse(folder / "generation_config.json", Generation)
    weights = Weights(folder)
    _require_shapes(folder, dimensions, weights)
    heads = generation.alignment_heads or _upper_half(dimensions)
    if any(layer >= dimensions.decoder_layers or head >= dimensions.decoder_attention_heads for layer, head in heads):
        raise UnsupportedCheckpoint(f"{folder}/generation_config.json names alignment heads that the model lacks")
    return WhisperCheckpoint(dimensions, tuple(sorted(heads)), weights, generation)


def _parse(path: Path, model: type[Model]) -> Model:
    try:
        return model.model_validate_json(read_small(path, SETTINGS))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UnsupportedCheckpoint(f"{path} is not that of a Whisper model: {short(where)}: {first['msg']}") from error


def _upper_half(dimensions: Dimensions) -> list[tuple[int, int]]:
    """Where Whisper's own code looks when a model does not say: all heads of the later layers."""
    layers = range(dimensions.decoder_layers // 2, dimensions.decoder_layers)
    return [(layer, head) for layer in layers for head in range(dimensions.decoder_attention_heads)]


def _require_shapes(folder: Path, dimensions: Dimensions, weights: Weights) -> None:
    """Catch weights that belong to another configuration before anything is built from them."""
    for name, shape in _expected(dimensions, weights):
        if weights.shape(name) != shape:
            raise UnsupportedCheckpoint(f"{folder}: {name} is {weights.shape(name)}, but config.json says {shape}")


def _expected(sizes: Dimensions, weights: Weights) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Every tensor that each Whisper has, in its shape."""
    width = sizes.d_model
    yield f"{EMBEDDING}.weight", (sizes.vocab_size, width)
    yield "model.encoder.conv1.weight", (width, sizes.num_mel_bins, 3)
    yield "model.encoder.conv2.weight", (width, width, 3)
    yield from ((f"model.encoder.conv{number}.bias", (width,)) for number in (1, 2))
    yield "model.encoder.embed_positions.weight", (sizes.max_source_positions, width)
    yield "model.decoder.embed_positions.weight", (sizes.max_target_positions, width)
    for stack, layers, attentions in (
        ("model.encoder", sizes.encoder_layers, ("self_attn",)),
        ("model.decoder", sizes.decoder_layers, ("self_attn", "encoder_attn")),
    ):
        yield from _norm(f"{stack}.layer_norm", width)
        for layer in (f"{stack}.layers.{index}" for index in range(layers)):
            inner = next(iter(weights.shape(f"{layer}.fc1.weight")), 0)
            yield from _linear(f"{layer}.fc1", inner, width)
            yield from _linear(f"{layer}.fc2", width, inner)
            yield from _norm(f"{layer}.final_layer_norm", width)
            for attention in (f"{layer}.{kind}" for kind in attentions):
                yield from _norm(f"{attention}_layer_norm", width)
                yield f"{attention}.k_proj.weight", (width, width)  # without a bias
                for kind in ("q_proj", "v_proj", "out_proj"):
                    yield from _linear(f"{attention}.{kind}", width, width)


def _linear(name: str, outputs: int, inputs: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", (outputs, inputs)
    yield f"{name}.bias", (outputs,)


def _norm(name: str, width: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", (width,)
    yield f"{name}.bias", (width,)
