"""What must be true of the files of an OpenVINO variant before they may be called one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openvino as ov
import openvino_tokenizers

from whisper_models.convert.checkpoint import OUTPUT, WhisperCheckpoint
from whisper_models.errors import ConversionFailed

STATES_PER_LAYER = 4  # keys and values of what was said, and of what was heard

Shapes = Mapping[str, list[int]]
"""Name of an input or output → its shape, -1 where any size is good."""


def check(target: Path, checkpoint: WhisperCheckpoint) -> None:
    """Load the four graphs back: with the inputs, outputs and states that openvino_genai binds, and every weight.

    Raises:
        ConversionFailed: naming the graph and what is wrong with it.
    """
    sizes = checkpoint.dimensions
    core = ov.Core()
    core.add_extension(openvino_tokenizers._ext_path)  # noqa: SLF001 - the library's own way, for want of a public one
    frames, width = 2 * sizes.max_source_positions, sizes.d_model
    encoder = _Graph(core, target / "openvino_encoder_model.xml")
    encoder.require(
        {"input_features": [-1, sizes.num_mel_bins, frames]}, {"last_hidden_state": [-1, frames // 2, width]}
    )
    decoder = _Graph(core, target / "openvino_decoder_model.xml")
    inputs = {"input_ids": [-1, -1], "encoder_hidden_states": [-1, -1, width], "beam_idx": [-1]}
    decoder.require(inputs, {"logits": [-1, -1, sizes.vocab_size]})
    decoder.require_states(STATES_PER_LAYER * sizes.decoder_layers)
    _require_weights(encoder.constants() | decoder.constants(), checkpoint)
    _Graph(core, target / "openvino_tokenizer.xml").require_names({"input_ids", "attention_mask", "token_type_ids"})
    _Graph(core, target / "openvino_detokenizer.xml").require_names({"string_output"})


class _Graph:
    """One graph, read back."""

    def __init__(self, core: Any, path: Path) -> None:
        self._name = path.name
        try:
            self._model = core.read_model(path)
        except RuntimeError as error:
            raise ConversionFailed(
                f"{self._name} cannot be read back ({_last_line(error)}): convert it again"
            ) from error

    def require(self, inputs: Shapes, outputs: Shapes) -> None:
        for what, ports, wanted in (("inputs", self._model.inputs, inputs), ("outputs", self._model.outputs, outputs)):
            self._require_equal(what, {port.get_any_name(): _shape(port) for port in ports}, wanted)

    def require_states(self, count: int) -> None:
        self._require_equal("number of states", len(self._model.get_variables()), count)

    def require_names(self, outputs: set[str]) -> None:
        self._require_equal("outputs", {port.get_any_name() for port in self._model.outputs}, outputs)

    def _require_equal(self, what: str, found: object, wanted: object) -> None:
        if found != wanted:
            raise ConversionFailed(f"{self._name} has the {what} {found} instead of {wanted}: report this as a defect")

    def constants(self) -> dict[str, int]:
        """Name of each constant → how many numbers it has."""
        constants = (node for node in self._model.get_ops() if node.get_type_name() == "Constant")
        return {
            node.get_friendly_name().removesuffix("_compressed"): math.prod(node.get_output_shape(0))
            for node in constants
        }


def _require_weights(found: Mapping[str, int], checkpoint: WhisperCheckpoint) -> None:
    for name in checkpoint.weights:
        if name == f"{OUTPUT}.weight" and checkpoint.output_is_tied():
            continue
        count = math.prod(checkpoint.weights.shape(name))
        if found.get(name) != count:
            raise ConversionFailed(
                f"the graphs hold {found.get(name)} numbers of {name} instead of {count}: report this as a defect"
            )


def _shape(port: Any) -> list[int]:
    return [dimension.get_length() if dimension.is_static else -1 for dimension in port.get_partial_shape()]


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
