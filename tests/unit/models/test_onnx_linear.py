"""A linear layer in 4 bits, in ONNX Runtime: it computes with the weights that were meant, near enough to the exact."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from whisper_models.convert.onnx.graph import FLOAT, Graph, WeightFile
from whisper_models.convert.onnx.linear import BLOCK, blockwise_int4, pack_int4
from whisper_models.errors import UnsupportedCheckpoint

Floats = npt.NDArray[np.float32]


def unpacked(values: npt.NDArray[np.uint8], scale: Floats) -> Floats:
    """What the packed bytes mean, written down apart from how they are made."""
    nibbles = np.stack([values % 16, values // 16], axis=-1).reshape(*scale.shape, BLOCK).astype(np.float32)
    return ((nibbles - 8) * scale[:, :, None]).reshape(len(scale), -1)


def random(*shape: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def in_onnx_runtime(folder: Path, weight: Floats, bias: Floats | None, x: Floats) -> Any:
    with WeightFile(folder / "weights") as file:
        graph = Graph(file)
        graph.input("x", FLOAT, ["rows", weight.shape[1]])
        product = blockwise_int4(graph, "x", "layer", lambda: weight, None if bias is None else lambda: bias)
        graph.op("Identity", product, name="y")
        graph.output("y", FLOAT, ["rows", len(weight)])
        graph.save(folder / "graph.onnx")
    session = onnxruntime.InferenceSession(folder / "graph.onnx", providers=["CPUExecutionProvider"])
    return session.run(["y"], {"x": x})[0]


@pytest.mark.parametrize("rows", [1, 7])
@pytest.mark.parametrize("biased", [True, False])
def test_onnx_runtime_multiplies_with_the_weights_that_were_packed(tmp_path: Path, rows: int, biased: bool) -> None:  # noqa: FBT001 - a case
    weight, x = random(48, 3 * BLOCK), random(rows, 3 * BLOCK, seed=1)
    bias = random(48, seed=2) if biased else None
    expected = x @ unpacked(*pack_int4("layer", weight)).T + (0 if bias is None else bias)
    found = in_onnx_runtime(tmp_path, weight, bias, x)
    assert np.abs(found - expected).max() < 0.01 * np.abs(expected).max()  # activations are rounded to 8 bits
    exact = x @ weight.T + (0 if bias is None else bias)
    assert 0.01 < np.linalg.norm(found - exact) / np.linalg.norm(exact) < 0.1


@given(seed=st.integers(0, 2**32), scale=st.sampled_from([0.0, 1e-6, 1.0, 1e4]))
def test_no_weight_is_off_by_more_than_its_blocks_step(seed: int, scale: float) -> None:
    weight = random(8, 2 * BLOCK, seed=seed) * np.float32(scale)
    values, steps = pack_int4("layer", weight)
    assert values.shape == (8, 2, BLOCK // 2)
    off = np.abs(unpacked(values, steps) - weight).reshape(8, 2, BLOCK)
    assert (off <= 1.0001 * np.abs(steps)[:, :, None]).all()
    assert (np.sort(off, axis=2)[:, :, : BLOCK // 2] <= 0.5001 * np.abs(steps)[:, :, None]).all()


def test_the_number_furthest_from_zero_stays_as_it_is() -> None:
    weight = random(4, BLOCK)
    furthest = np.abs(weight).argmax(axis=1)
    rows = np.arange(4)
    assert np.allclose(unpacked(*pack_int4("layer", weight))[rows, furthest], weight[rows, furthest], rtol=1e-6)


def test_rows_that_are_no_whole_blocks_are_refused_by_name() -> None:
    with pytest.raises(UnsupportedCheckpoint, match="fc9 has 40 inputs"):
        pack_int4("fc9", random(4, 40))
