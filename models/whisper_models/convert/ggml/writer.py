"""Writes the file, a few rows of a tensor at a time, so that no model lies whole in memory."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from whisper_models.artifact import Precision
from whisper_models.convert.checkpoint import Dimensions, open_checkpoint
from whisper_models.convert.ggml.quantiser import quantiser
from whisper_models.convert.ggml.tensors import Placed, placed
from whisper_models.convert.ggml.types import F16, F32, FILE_TYPES, MAGIC, FileType
from whisper_models.convert.ggml.vocabulary import vocabulary
from whisper_models.convert.mel import mel_filters
from whisper_models.convert.tokenizer import read_tokenizer
from whisper_models.convert.weights import Weights

ROWS = 4096
"""How many are quantised at a time."""


def write_ggml(source: Path, target: Path, precision: Precision) -> None:
    """Write the checkpoint in folder `source` to the file `target`."""
    checkpoint = open_checkpoint(source)
    file_type = FILE_TYPES[precision]
    tokens = vocabulary(read_tokenizer(source))
    tensors = placed(checkpoint, file_type.matrices)
    with target.open("wb") as file:
        _write_front(file, header(checkpoint.dimensions, file_type), tokens)
        for tensor in tensors:
            _write_tensor(file, tensor, checkpoint.weights)


def header(sizes: Dimensions, file_type: FileType) -> tuple[int, ...]:
    """The numbers that the file begins with."""
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
        file_type.number,
    )


def _write_front(file: BinaryIO, numbers: tuple[int, ...], tokens: list[bytes]) -> None:
    mel = mel_filters(numbers[-2])
    _integers(file, *numbers, *mel.shape)
    file.write(mel.data)
    _integers(file, len(tokens))
    for token in tokens:
        _integers(file, len(token))
        file.write(token)


def _write_tensor(file: BinaryIO, tensor: Placed, weights: Weights) -> None:
    name = tensor.name.encode()
    _integers(file, len(tensor.shape), len(name), tensor.kind.number, *reversed(tensor.shape))
    file.write(name)
    file.writelines(np.ascontiguousarray(part).data for part in _packed(tensor, weights))


def _packed(tensor: Placed, weights: Weights) -> Iterator[NDArray[Any]]:
    """The tensor's numbers as they are stored."""
    if tensor.kind == F32:
        yield weights[tensor.source]
        return
    half = weights.half(tensor.source)
    if tensor.kind == F16:
        yield half
        return
    pack = quantiser(tensor.kind)
    for start in range(0, len(half), ROWS):  # from f16, as whisper.cpp's tool reads it
        yield pack(half[start : start + ROWS].astype(np.float32))


def _integers(file: BinaryIO, *values: int) -> None:
    file.write(struct.pack(f"<{len(values)}i", *values))
