"""Safetensors → the one file that whisper.cpp reads, in f16 or quantised by whisper.cpp's own library.

The file is a header of dimensions, the mel filter bank, the vocabulary as bytes, then the tensors one after another.
"""

from __future__ import annotations

from pathlib import Path

from whisper_models.artifact import Precision
from whisper_models.convert.checkpoint import open_checkpoint
from whisper_models.convert.formats import Say
from whisper_models.convert.ggml.check import check
from whisper_models.convert.ggml.types import FILE_TYPES
from whisper_models.convert.ggml.writer import write_ggml

__all__ = ["RECIPE", "TOOLS", "bytes_needed", "check", "convert"]

RECIPE = "1"
"""Changes when the file that is made changes; variants of an older recipe are made again."""
TOOLS = ("numpy", "pywhispercpp")

BESIDE = 8 << 20  # vocabulary, filters, and what stays in f32


def convert(source: Path, target: Path, precision: Precision, say: Say = lambda _name: None) -> None:
    """Write the checkpoint in `source` to the file `target`.

    Raises:
        UnsupportedCheckpoint, Incomplete: as `open_checkpoint` says, or it has what whisper.cpp has no place for.
        LibraryMissing: it is to be quantised, and pywhispercpp is not installed.
    """
    say(target.name)
    write_ggml(source, target, precision)


def bytes_needed(source: Path, precision: Precision) -> int:
    """About how much space the file takes, rounded up."""
    matrices = FILE_TYPES[precision].matrices
    return open_checkpoint(source).weights.parameters * matrices.block_bytes // matrices.block * 21 // 20 + BESIDE
