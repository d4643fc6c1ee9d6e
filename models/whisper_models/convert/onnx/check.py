"""What must be true of the files of an ONNX variant before they may be called one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import onnx
from onnx import ModelProto, TensorProto

from whisper_models.convert.checkpoint import WhisperCheckpoint
from whisper_models.convert.onnx.cross import KINDS
from whisper_models.convert.onnx.graph import FUSED, OPSET
from whisper_models.errors import ConversionFailed


def check(folder: Path, checkpoint: WhisperCheckpoint) -> None:
    """Read the graphs back: well-formed, with the inputs and outputs that the runtime binds, and all weights there.

    Raises:
        ConversionFailed: naming the graph and what is wrong with it.
    """
    layers = checkpoint.dimensions.decoder_layers
    for graph, (inputs, outputs) in _contract(layers, in_8_bits=_in_8_bits(folder)).items():
        path = folder / graph
        try:
            onnx.checker.check_model(str(path))
        except (onnx.checker.ValidationError, ValueError) as error:
            raise ConversionFailed(
                f"{graph} is not a sound graph ({error}): report this with the model's name"
            ) from error
        model = onnx.load(str(path), load_external_data=False)
        _require_equal(graph, "inputs", [value.name for value in model.graph.input], inputs)
        _require_equal(graph, "outputs", [value.name for value in model.graph.output], outputs)
        _require_opsets(graph, model)
        for tensor in model.graph.initializer:
            _require_data(folder, graph, tensor)


def _in_8_bits(folder: Path) -> bool:
    """Whether the encoder rounds what it hands on; decoder and alignment have to agree."""
    encoder = onnx.load(str(folder / "encoder.onnx"), load_external_data=False)
    return any(value.name.startswith("cross_k_scale") for value in encoder.graph.output)


def _contract(layers: int, *, in_8_bits: bool) -> dict[str, tuple[list[str], list[str]]]:
    """Graph → the names that the runtime binds, in order."""
    scales = ["", "_scale"] if in_8_bits else [""]
    cross = _per_layer([f"cross_{kind}{scale}" for kind in KINDS for scale in scales], layers)
    past = _per_layer([f"past_{kind}" for kind in KINDS], layers)
    written = ["present", "same"] if in_8_bits else ["present"]
    present = _per_layer([f"{name}_{kind}" for name in written for kind in KINDS], layers)
    return {
        "encoder.onnx": (["mel", "epos"], ["hidden", *cross]),
        "decoder.onnx": (["ids", "pos", *cross, "seqlens_k", "total", *past], ["logits", *present]),
        "align.onnx": (["ids", "pos", *cross], ["probs"]),
    }


def _per_layer(names: Iterable[str], layers: int) -> list[str]:
    return [f"{name}.{layer}" for layer in range(layers) for name in names]


def _require_equal(graph: str, what: str, found: Iterable[str], expected: list[str]) -> None:
    if list(found) != expected:
        raise ConversionFailed(f"{graph} has the {what} {list(found)} instead of {expected}: report this as a defect")


def _require_opsets(graph: str, model: ModelProto) -> None:
    found = {opset.domain: opset.version for opset in model.opset_import}
    if found != {"": OPSET, FUSED: 1}:
        raise ConversionFailed(f"{graph} asks for the operator sets {found}: report this as a defect")


def _require_data(folder: Path, graph: str, tensor: TensorProto) -> None:
    if tensor.data_location != TensorProto.EXTERNAL:
        return
    place = {entry.key: entry.value for entry in tensor.external_data}
    file = folder / place["location"]
    if int(place["offset"]) + int(place["length"]) > file.stat().st_size:
        raise ConversionFailed(f"{graph}: {tensor.name} reaches beyond the end of {file.name}: convert it again")
