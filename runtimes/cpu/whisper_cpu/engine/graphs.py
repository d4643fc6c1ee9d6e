"""The model's graphs as ONNX Runtime sessions, all on one pool of threads.

With a pool for each session the pools spin against each other: two threads are then slower than one.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, RuntimeException

_ERRORS_ONLY = 3
_FAILURES = (Fail, RuntimeException)
_NO_MEMORY = ("Failed to allocate memory", "bad allocation", "bad_alloc")
_pool_lock = threading.Lock()
_pool_threads: list[int] = []  # what the process's one pool was made with; ONNX Runtime has no way to ask or change it


@dataclass(frozen=True, slots=True)
class Graphs:
    """Encoder, decoder and alignment of one model; sessions may run from several threads at once."""

    encoder: Any
    decoder: Any
    align: Any
    layers: int
    heads: int
    head_size: int
    positions: int

    def cross_names(self) -> list[str]:
        """The keys and values that the encoder makes and the decoder reads."""
        return [f"cross_{kind}.{layer}" for layer in range(self.layers) for kind in "kv"]


def load_graphs(folder: Path, config: dict[str, Any], threads: int) -> Graphs:
    """Open the three graphs of a variant's folder."""
    pooled = _pooled(threads)
    heads = config["decoder_attention_heads"]
    return Graphs(
        encoder=_session(folder / "encoder.onnx", pooled=pooled),
        decoder=_session(folder / "decoder.onnx", pooled=pooled),
        align=_session(folder / "align.onnx", pooled=pooled),
        layers=config["decoder_layers"],
        heads=heads,
        head_size=config["d_model"] // heads,
        positions=config["max_target_positions"],
    )


def _pooled(threads: int) -> bool:
    """Whether sessions run on the process's one pool. It is made once, so only its first size counts.

    One thread needs no pool; a process that has made one must go on using it, for ONNX Runtime then refuses all else.
    """
    with _pool_lock:
        if threads > 1 and not _pool_threads:
            onnxruntime.set_global_thread_pool_sizes(threads, 1)
            _pool_threads.append(threads)
        return bool(_pool_threads)


def _session(file: Path, *, pooled: bool) -> Any:
    options = onnxruntime.SessionOptions()
    options.use_per_session_threads = not pooled
    if not pooled:
        options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def value(array: np.ndarray[Any, Any]) -> Any:
    """An OrtValue over the array's own memory: what is written to the array is what the graph reads."""
    return onnxruntime.OrtValue.ortvalue_from_numpy(array)


def out_of_memory(error: Exception) -> bool:
    """Whether ONNX Runtime failed for want of memory. It has no error of its own for that, only its arena's words."""
    says = str(error)
    return isinstance(error, _FAILURES) and any(words in says for words in _NO_MEMORY)


def version() -> str:
    """The library and its version, as results name it."""
    return f"onnxruntime {onnxruntime.__version__}"
