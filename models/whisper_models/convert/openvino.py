"""A checkpoint → the folder that `openvino_genai.WhisperPipeline` loads: stateful IR, tokenizer, and JSON.

Torch is not involved: `openvino_graphs` writes the operations from the tensors. In INT8 only the weights are compressed
(by nncf, per channel); activations keep the precision that the device prefers.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nncf
import openvino as ov

from whisper_models.artifact import Precision
from whisper_models.convert.checkpoint import open_checkpoint
from whisper_models.convert.openvino_graphs import decoder, encoder
from whisper_models.convert.openvino_tokenizer import tokenizer_models

PRECISIONS = (Precision.FP16, Precision.INT8)
_COPIED = (
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
)


def write_openvino(source: Path, target: Path, precision: Precision) -> None:
    """Write the checkpoint in folder `source` to folder `target`, in one of PRECISIONS."""
    target.mkdir(parents=True, exist_ok=True)
    checkpoint = open_checkpoint(source)
    for name, build in (("encoder", encoder), ("decoder", decoder)):
        _save(build(checkpoint), target / f"openvino_{name}_model.xml", precision)
    _write_tokenizer(source, target, checkpoint.dimensions.max_target_positions)
    for name in _COPIED:
        if (source / name).exists():
            shutil.copy(source / name, target)


def _save(model: ov.Model, path: Path, precision: Precision) -> None:
    if precision is Precision.INT8:
        model = nncf.compress_weights(model, mode=nncf.CompressWeightsMode.INT8_ASYM)
    ov.save_model(model, path, compress_to_fp16=precision is Precision.FP16)


def _write_tokenizer(source: Path, target: Path, longest: int) -> None:
    tokenizer = json.loads((source / "tokenizer.json").read_text())
    end = json.loads((source / "tokenizer_config.json").read_text())["eos_token"]
    encode, decode = tokenizer_models(tokenizer, end, longest)
    ov.save_model(encode, target / "openvino_tokenizer.xml")
    ov.save_model(decode, target / "openvino_detokenizer.xml")
