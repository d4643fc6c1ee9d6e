"""Safetensors → the folder that CTranslate2 and faster-whisper read, by the library's own specification."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from whisper_models.artifact import Precision
from whisper_models.convert.checkpoint import open_checkpoint
from whisper_models.convert.ctranslate2.check import check
from whisper_models.convert.ctranslate2.spec import filled
from whisper_models.convert.ctranslate2.vocabulary import settings, tokens_by_number, vocabulary
from whisper_models.errors import Incomplete

__all__ = ["COPIED", "RECIPE", "TOOLS", "bytes_needed", "check", "convert"]

RECIPE = "1"
"""Changes when the files that are made change; variants of an older recipe are made again."""
TOOLS = ("ctranslate2", "numpy")

TYPES: Mapping[Precision, str] = MappingProxyType(
    {
        Precision.FP16: "float16",
        Precision.INT8: "int8_float32",  # what is not a matrix stays as exact as it came
        Precision.INT8_FLOAT16: "int8_float16",
    }
)
"""Our name of a precision → the library's."""

COPIED = ("preprocessor_config.json", "tokenizer.json")  # faster-whisper reads both
BYTES_PER_PARAMETER = {Precision.FP16: 2.1, Precision.INT8: 1.2, Precision.INT8_FLOAT16: 1.2}
BESIDE = 8 << 20  # vocabulary and tokenizer


def convert(
    source: Path, target: Path, precision: Precision, on_file: Callable[[str], None] = lambda _name: None
) -> None:
    """Write the CTranslate2 variant of the checkpoint in `source` into the empty folder `target`.

    Raises:
        UnsupportedCheckpoint, Incomplete: as `open_checkpoint` says, or a number does not fit the precision.
    """
    checkpoint = open_checkpoint(source)
    for name in COPIED:
        if not (source / name).is_file():
            raise Incomplete(f"{source} has no {name}: download the model again")
        shutil.copyfile(source / name, target / name)
    tokens = tokens_by_number(source)
    spec = filled(checkpoint)
    spec.register_vocabulary(vocabulary(tokens, checkpoint.dimensions.vocab_size))
    for name, value in settings(checkpoint, tokens).items():
        setattr(spec.config, name, value)
    on_file("model.bin")
    spec.validate()
    spec.optimize(TYPES[precision])
    spec.save(str(target))


def bytes_needed(source: Path, precision: Precision) -> int:
    """About how much space the variant takes, rounded up."""
    return int(open_checkpoint(source).weights.parameters * BYTES_PER_PARAMETER[precision]) + BESIDE
