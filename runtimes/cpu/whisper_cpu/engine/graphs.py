"""The model's graphs as ONNX Runtime sessions, whose threads wait for work awake only for a moment.

Left to themselves they stay awake for 35 ms: against the threads of the other sessions, against the event loop that has
an answer to send, and against the container's CPU limit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, RuntimeException
from whisper_runtime.decoding.graphs import Floats, Positions

from whisper_cpu.engine.decoder import BatchDecoder, Cross, Decoder, Layout
from whisper_cpu.engine.values import value

_ERRORS_ONLY = 3
_FAILURES = (Fail, RuntimeException)
_NO_MEMORY = ("Failed to allocate memory", "bad allocation", "bad_alloc")
_SPIN_MICROSECONDS = 50
_MOST_TOGETHER = 4
"""More windows at once are faster still, but take longer than a window may: others wait meanwhile."""
_BATCH_BYTES = 256 << 20
"""What a batch may take for what was heard and said, for each worker."""


class OnnxGraphs:
    """The three graphs of a variant's folder, as the decode loop runs them."""

    def __init__(self, folder: Path, config: dict[str, Any], threads: int, attention: Path | None = None) -> None:
        """`attention`: a library whose attention goes before ONNX Runtime's in the encoder."""
        self._encoder = _session(folder / "encoder.onnx", threads, attention)
        self._decoder, self._align = (_session(folder / f"{name}.onnx", threads) for name in ("decoder", "align"))
        self._layout = Layout.of(config)
        self._cross = [node.name for node in self._encoder.get_outputs() if node.name.startswith("cross_")]
        self.most_together = self._rows_that_fit()
        self._aligned = frozenset(node.name for node in self._align.get_inputs())

    def encode(self, mel: Floats, positions: Positions) -> Cross:
        """The audio's keys and values in each layer of the decoder."""
        made = self._encoder.run_with_ort_values(self._cross, {"mel": value(mel), "epos": value(positions)})
        return dict(zip(self._cross, made, strict=True))

    def decoder(self) -> Decoder:
        """Another worker's decoder."""
        return Decoder(self._decoder, self._layout)

    def batch_decoder(self, audios: list[Cross]) -> BatchDecoder:
        """One for these windows, which it takes over."""
        return BatchDecoder(self._decoder, self._layout, audios)

    def attention(self, tokens: tuple[int, ...], audio: Cross) -> Floats:
        """(heads, tokens, steps)."""
        inputs = audio | {"ids": value(np.array([tokens], np.int64)), "pos": value(np.arange(len(tokens)))}
        feeds = {name: bound for name, bound in inputs.items() if name in self._aligned}
        (probabilities,) = self._align.run_with_ort_values(["probs"], feeds)
        attention: Floats = probabilities.numpy()
        return attention

    def _rows_that_fit(self) -> int:
        """How many windows are decoded at once; one in graphs of a recipe before 3, which take no more."""
        inputs = {node.name: node for node in self._decoder.get_inputs()}
        if inputs["ids"].shape[0] == 1:
            return 1
        in_8_bits = inputs["cross_k.0"].type == "tensor(int8)"
        return max(1, min(_MOST_TOGETHER, _BATCH_BYTES // self._layout.bytes_of_a_window(1 if in_8_bits else 4)))


def _session(file: Path, threads: int, operators: Path | None = None) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.add_session_config_entry("session.intra_op.spin_duration_us", str(_SPIN_MICROSECONDS))
    options.log_severity_level = _ERRORS_ONLY
    if operators:
        options.register_custom_ops_library(str(operators))
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def out_of_memory(error: Exception) -> bool:
    """Whether ONNX Runtime failed for want of memory. It has no error of its own for that, only its arena's words."""
    says = str(error)
    return isinstance(error, _FAILURES) and any(words in says for words in _NO_MEMORY)


def version() -> str:
    """The library and its version, as results name it."""
    return f"onnxruntime {onnxruntime.__version__}"
