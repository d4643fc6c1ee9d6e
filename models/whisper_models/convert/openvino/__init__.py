"""Safetensors → the folder that `openvino_genai.WhisperPipeline` loads: stateful IR, tokenizer, and JSON.

Only weights are compressed; activations keep the precision that the device prefers.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import openvino as ov

from whisper_models.artifact import Precision
from whisper_models.convert.checkpoint import EMBEDDING, open_checkpoint
from whisper_models.convert.formats import Say
from whisper_models.convert.openvino.check import check
from whisper_models.convert.openvino.constants import STORAGE
from whisper_models.convert.openvino.decoder import decoder
from whisper_models.convert.openvino.encoder import encoder
from whisper_models.convert.openvino.tokenizer import tokenizer_models
from whisper_models.convert.tokenizer import read_tokenizer
from whisper_models.errors import Incomplete, UnsupportedCheckpoint

__all__ = ["RECIPE", "TOOLS", "bytes_needed", "check", "convert"]

RECIPE = "1"
"""Changes when the files that are made change; variants of an older recipe are made again."""
TOOLS = ("numpy", "openvino", "openvino-tokenizers")

COPIED = (
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
)
BYTES_PER_PARAMETER: Mapping[Precision, tuple[float, float]] = MappingProxyType(
    {Precision.FP16: (2.0, 2.0), Precision.INT8: (1.1, 1.1), Precision.INT4: (0.65, 1.1)}
)
"""(of the layers, of the vocabulary)"""
NUMBERED = re.compile(r"\w+_\d+(\.\d+)?")
"""A name with a number that the library counts up while the process lives."""
BESIDE = 16 << 20  # the tokenizers, and the structure of the graphs


def convert(source: Path, target: Path, precision: Precision, say: Say = lambda _name: None) -> None:
    """Write the OpenVINO variant of the checkpoint in `source` into the folder `target`.

    Raises:
        UnsupportedCheckpoint, Incomplete: as `open_checkpoint` says.
    """
    checkpoint = open_checkpoint(source)
    for name in COPIED:
        if not (source / name).is_file():
            raise Incomplete(f"{source} has no {name}: download the model again")
        shutil.copyfile(source / name, target / name)
    for name, build in (("encoder", encoder), ("decoder", decoder)):
        say(f"openvino_{name}_model.bin")
        _save(build(checkpoint, STORAGE[precision]), target / f"openvino_{name}_model.xml")
    _write_tokenizer(source, target, checkpoint.dimensions.max_target_positions)


def bytes_needed(source: Path, precision: Precision) -> int:
    """About how much space the variant takes, rounded up."""
    weights = open_checkpoint(source).weights
    rows, width = weights.shape(f"{EMBEDDING}.weight")
    layer, vocabulary = BYTES_PER_PARAMETER[precision]
    return int((weights.parameters - rows * width) * layer + rows * width * vocabulary) + BESIDE


def _write_tokenizer(source: Path, target: Path, longest: int) -> None:
    encode, decode = tokenizer_models(read_tokenizer(source), _end_token(source), longest)
    _save(encode, target / "openvino_tokenizer.xml")
    _save(decode, target / "openvino_detokenizer.xml")


def _save(model: ov.Model, path: Path) -> None:
    """Write a graph, and nothing into it that differs from run to run."""
    for place, node in enumerate(model.get_ordered_ops()):
        if NUMBERED.fullmatch(node.get_friendly_name()):
            node.set_friendly_name(f"{node.get_type_name()}_{place}")
    ov.save_model(model, path, compress_to_fp16=False)


def _end_token(source: Path) -> str:
    path = source / "tokenizer_config.json"
    try:
        end = json.loads(path.read_bytes())["eos_token"]
        return str(end["content"] if isinstance(end, dict) else end)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UnsupportedCheckpoint(f"{path} does not name the token that ends a text ({error!r})") from error
