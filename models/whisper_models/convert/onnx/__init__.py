"""Safetensors → the three graphs that the cpu runtime runs, for every size of Whisper, without torch.

`encoder.onnx` and its weights; `decoder.onnx` and `align.onnx`, which share theirs. See each module for its inputs and
outputs: they are a contract with the runtime. Operators of `com.microsoft` are ONNX Runtime's own.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from whisper_models.artifact import Precision
from whisper_models.convert.checkpoint import WhisperCheckpoint, open_checkpoint
from whisper_models.convert.onnx.alignment import write_alignment
from whisper_models.convert.onnx.check import check
from whisper_models.convert.onnx.decoder import write_decoder
from whisper_models.convert.onnx.encoder import write_encoder
from whisper_models.convert.onnx.graph import Graph, WeightFile
from whisper_models.convert.onnx.precisions import LINEARS, Linears
from whisper_models.errors import Incomplete

__all__ = ["COPIED", "GRAPHS", "RECIPE", "TOOLS", "bytes_needed", "check", "convert"]

RECIPE = "3"
"""Changes when the files that are made change; variants of an older recipe are made again."""
TOOLS = ("numpy", "onnx")

Write = Callable[[Graph, WhisperCheckpoint, Linears], None]

GRAPHS: dict[str, tuple[tuple[str, Write], ...]] = {
    "encoder.weights": (("encoder.onnx", write_encoder),),
    "decoder.weights": (("decoder.onnx", write_decoder), ("align.onnx", write_alignment)),
}
"""File of weights → the graphs that read it."""

COPIED = ("config.json", "generation_config.json", "preprocessor_config.json", "tokenizer.json")
BYTES_PER_PARAMETER = {Precision.FP32: 6.0, Precision.INT8: 2.5, Precision.INT4: 2.4}
"""The token table comes on top of the output matrix."""


def convert(
    source: Path, target: Path, precision: Precision, on_file: Callable[[str], None] = lambda _name: None
) -> None:
    """Write the ONNX variant of the checkpoint in `source` into the empty folder `target`.

    Raises:
        UnsupportedCheckpoint, Incomplete: as `open_checkpoint` says.
    """
    checkpoint = open_checkpoint(source)
    for weights_name, graphs in GRAPHS.items():
        with WeightFile(target / weights_name) as weights:
            for name, write in graphs:
                on_file(name)
                graph = Graph(weights)
                write(graph, checkpoint, LINEARS[precision])
                graph.save(target / name)
    for name in COPIED:
        if not (source / name).is_file():
            raise Incomplete(f"{source} has no {name}: download the model again")
        shutil.copyfile(source / name, target / name)


def bytes_needed(source: Path, precision: Precision) -> int:
    """About how much space the variant takes, rounded up."""
    return int(open_checkpoint(source).weights.parameters * BYTES_PER_PARAMETER[precision])
