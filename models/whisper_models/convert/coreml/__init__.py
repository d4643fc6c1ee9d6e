"""Safetensors → the encoder that whisper.cpp runs through CoreML on a Mac, beside a GGML file of the same model.

A program of CoreML's own (`mlprogram`) in float16, with the input `logmel_data` (1, mel bins, frames) and the output
`output` (1, frames / 2, width), both in float32 as whisper.cpp's src/coreml/whisper-encoder.mm reads and writes them.
Writing it needs no Mac; `coremlc`, which makes of it what CoreML loads, is a part of Xcode.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from whisper_models.artifact import Precision
from whisper_models.convert.checkpoint import open_checkpoint
from whisper_models.convert.coreml.check import check
from whisper_models.convert.coreml.compiler import compile_package
from whisper_models.convert.coreml.encoder import encoder_bytes
from whisper_models.convert.coreml.package import write_package
from whisper_models.convert.formats import Say

__all__ = ["RECIPE", "TOOLS", "bytes_needed", "check", "convert"]

RECIPE = "1"
"""Changes when the files that are made change; variants of an older recipe are made again."""
TOOLS = ("numpy", "coremltools")

COPIES = 3  # coremltools' own in the temporary folder, the package, and what is compiled of it
BESIDE = 8 << 20  # the programs without their weights


def convert(source: Path, target: Path, precision: Precision, say: Say = lambda _name: None) -> None:  # noqa: ARG001 - there is one
    """Write the encoder of the checkpoint in `source` to the folder `target`, which whisper.cpp finds by its name.

    Raises:
        UnsupportedCheckpoint, Incomplete: as `open_checkpoint` says, or float16 cannot hold a number.
        LibraryMissing: there is no `xcrun` here.
        ConversionFailed: `coremlc` did not compile it.
    """
    package = target.with_suffix(".mlpackage")
    say(package.name)
    write_package(open_checkpoint(source), package)
    say(target.name)
    compile_package(package, target)
    shutil.rmtree(package)


def bytes_needed(source: Path, precision: Precision) -> int:  # noqa: ARG001 - there is one
    """About how much space it takes while it is made, rounded up."""
    return COPIES * (encoder_bytes(open_checkpoint(source)) + BESIDE)
