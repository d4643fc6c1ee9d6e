"""A published Whisper checkpoint: its dimensions, which heads align words, and its tensors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from whisper_models.convert.weights import Read, Weights
from whisper_models.errors import Incomplete, UnsupportedCheckpoint

Count = Annotated[int, Field(gt=0, le=1_000_000)]
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
    encoder_layers: Count
    decoder_layers: Count
    encoder_attention_heads: Count
    decoder_attention_heads: Count
    max_source_positions: Count
    max_target_positions: Count


class Generation(BaseModel):
    """What `generation_config.json` says about the graph, and about tokens that are never said."""

    alignment_heads: Annotated[list[Head], Field(min_length=1)] | None = None
    suppress_tokens: list[int] | None = None
    begin_suppress_tokens: list[int] | None = None
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
        return model.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise Incomplete(f"{path} is missing: download the model again") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UnsupportedCheckpoint(f"{path} is not that of a Whisper model: {where}: {first['msg']}") from error


def _upper_half(dimensions: Dimensions) -> list[tuple[int, int]]:
    """Where Whisper's own code looks when a model does not say: all heads of the later layers."""
    layers = range(dimensions.decoder_layers // 2, dimensions.decoder_layers)
    return [(layer, head) for layer in layers for head in range(dimensions.decoder_attention_heads)]


def _require_shapes(folder: Path, dimensions: Dimensions, weights: Weights) -> None:
    """Catch weights that belong to another configuration before a graph is built from them."""
    width = dimensions.d_model
    expected = {
        f"{EMBEDDING}.weight": (dimensions.vocab_size, width),
        "model.encoder.conv1.weight": (width, dimensions.num_mel_bins, 3),
        "model.encoder.embed_positions.weight": (dimensions.max_source_positions, width),
        "model.decoder.embed_positions.weight": (dimensions.max_target_positions, width),
        f"model.encoder.layers.{dimensions.encoder_layers - 1}.fc2.bias": (width,),
        f"model.decoder.layers.{dimensions.decoder_layers - 1}.fc2.bias": (width,),
    }
    for name, shape in expected.items():
        if name not in weights:
            raise UnsupportedCheckpoint(f"{folder} has no tensor {name}: it is not a Whisper checkpoint as published")
        if weights.shape(name) != shape:
            raise UnsupportedCheckpoint(f"{folder}: {name} is {weights.shape(name)}, but config.json says {shape}")
