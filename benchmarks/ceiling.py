"""How fast a core multiplies: the ceiling that an encoder's arithmetic is held against.

Measured with ONNX Runtime's own products, of the shape of a feed-forward layer over 30 s of audio: 8 bit integers, and
32 bit floats. The best of many, because a ceiling is what the hardware can do, not what it did on average.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

ROWS, INNER, COLUMNS = 1500, 512, 2048


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Thousand millions of operations a second, a multiplication and an addition counted as two."""

    int8: float
    fp32: float


def measured(threads: int) -> Ceiling:
    """In a process of its own, bound to as many cores."""
    command = [sys.executable, "-m", "benchmarks.ceiling", "--threads", str(threads)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return Ceiling(**json.loads(answer))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long to try each product")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.threads])
    rates = {kind: _rate(kind, arguments.threads, arguments.seconds) for kind in ("int8", "fp32")}
    print(json.dumps(rates))


def _rate(kind: str, threads: int, seconds: float) -> float:
    import numpy as np  # noqa: PLC0415 - after the process is bound to its cores
    import onnxruntime  # noqa: PLC0415 - the same

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(_product(kind), options, providers=["CPUExecutionProvider"])
    left = np.ones((ROWS, INNER), np.uint8 if kind == "int8" else np.float32)
    best, begun = float("inf"), time.perf_counter()
    while time.perf_counter() - begun < seconds:
        at = time.perf_counter()
        session.run(None, {"left": left})
        best = min(best, time.perf_counter() - at)
    return 2 * ROWS * INNER * COLUMNS / best / 1e9


def _product(kind: str) -> bytes:
    """A graph of one product with a constant right side, as a model's weights are."""
    import numpy as np  # noqa: PLC0415 - after the process is bound to its cores
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415 - the same

    whole = kind == "int8"
    right = numpy_helper.from_array(np.ones((INNER, COLUMNS), np.int8 if whole else np.float32), "right")
    source, result = (TensorProto.UINT8, TensorProto.INT32) if whole else (TensorProto.FLOAT, TensorProto.FLOAT)
    node = helper.make_node("MatMulInteger" if whole else "MatMul", ["left", "right"], ["product"])
    graph = helper.make_graph(
        [node],
        kind,
        [helper.make_tensor_value_info("left", source, [ROWS, INNER])],
        [helper.make_tensor_value_info("product", result, [ROWS, COLUMNS])],
        [right],
    )
    model: Any = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    serialized: bytes = model.SerializeToString()
    return serialized


def encoder_operations(config: dict[str, int]) -> float:
    """How many operations the encoder takes for 30 s, from a checkpoint's config.json."""
    width, inner, frames = config["d_model"], config["encoder_ffn_dim"], config["max_source_positions"]
    convolutions = 2 * frames * 3 * config["num_mel_bins"] * width + frames * 3 * width * width
    projections = frames * (4 * width * width + 2 * width * inner)
    attention = 2 * frames * frames * width
    return 2.0 * (convolutions + config["encoder_layers"] * (projections + attention))


if __name__ == "__main__":
    main()
