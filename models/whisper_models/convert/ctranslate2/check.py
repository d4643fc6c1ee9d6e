"""What must be true of the files of a CTranslate2 variant before they may be called one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ctranslate2.specs import LayerSpec

from whisper_models.convert.checkpoint import WhisperCheckpoint
from whisper_models.convert.ctranslate2.model_file import Contents, Stored, contents
from whisper_models.convert.ctranslate2.spec import filled
from whisper_models.errors import ConversionFailed

SCALE = "_scale"
SETTINGS = {"alignment_heads", "lang_ids", "suppress_ids", "suppress_ids_begin"}


def check(folder: Path, checkpoint: WhisperCheckpoint) -> None:
    """Read the files back: every variable that the engine looks for, whole and in its shape; a token for each logit.

    Raises:
        ConversionFailed: naming the file and what is wrong with it.
    """
    try:
        found = contents(folder / "model.bin")
    except ValueError as error:
        raise ConversionFailed(f"model.bin is not sound ({error}): convert it again") from error
    _require_variables(found, checkpoint)
    for name in found.variables:
        _require_scale(name, found)
    if len(_json(folder / "vocabulary.json")) != checkpoint.dimensions.vocab_size:
        raise ConversionFailed("vocabulary.json does not have a token for each logit: report this as a defect")
    if _json(folder / "config.json").keys() != SETTINGS:
        raise ConversionFailed(f"config.json does not say {', '.join(sorted(SETTINGS))}: report this as a defect")


def _require_variables(found: Contents, checkpoint: WhisperCheckpoint) -> None:
    spec = filled(checkpoint)
    LayerSpec.validate(spec)  # not WhisperSpec's, which wants the vocabulary too
    spec.optimize()  # without quantisation: finds what is used twice
    wanted = dict(spec.variables())
    aliases = {name: value for name, value in wanted.items() if isinstance(value, str)}
    shapes = {name: tuple(value.shape) for name, value in wanted.items() if name not in aliases}
    stored = {name: there.shape for name, there in found.variables.items() if not name.endswith(SCALE)}
    odd = sorted(name for name in shapes.keys() | stored.keys() if shapes.get(name) != stored.get(name))
    if odd:
        name = odd[0]
        raise ConversionFailed(
            f"model.bin has {name} as {stored.get(name)} instead of {shapes.get(name)}: report this as a defect"
        )
    if {alias: name for alias, name in found.aliases.items() if not alias.endswith(SCALE)} != aliases:
        raise ConversionFailed(f"model.bin names {found.aliases} twice instead of {aliases}: report this as a defect")


def _require_scale(name: str, found: Contents) -> None:
    """A matrix in int8 means nothing without a scale for each row, nor a scale without its matrix."""
    there = found.variables[name]
    matrix = len(there.shape) > 1 and there.dtype == "int8"
    if matrix and found.variables.get(name + SCALE) != Stored(there.shape[:1], "float32"):
        raise ConversionFailed(f"model.bin has {name} in int8 without a scale for each row: report this as a defect")
    scaled = found.variables.get(name.removesuffix(SCALE))
    if name.endswith(SCALE) and (scaled is None or scaled.dtype != "int8"):
        raise ConversionFailed(f"model.bin has {name}, but nothing that it scales: report this as a defect")


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConversionFailed(f"{path.name} cannot be read back ({error}): convert it again") from error
