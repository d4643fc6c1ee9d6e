"""A linear layer in 4 or 8 bits, in ONNX Runtime: it computes with the weights that were meant, near enough."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from whisper_models.convert.onnx.graph import FLOAT, Graph, WeightFile
from whisper_models.convert.onnx.linear import BLOCK, WIDE, Linear, blockwise_int4, blockwise_int8, pack_int4, pack_int8
from whisper_models.errors import UnsupportedCheckpoint

Floats = npt.NDArray[np.float32]


def unpacked(values: npt.NDArray[np.uint8], scale: Floats) -> Floats:
    """What the packed bytes mean, written down apart from how they are made."""
    nibbles = np.stack([values % 16, values // 16], axis=-1).reshape(*scale.shape, BLOCK).astype(np.float32)
    return ((nibbles - 8) * scale[:, :, None]).reshape(len(scale), -1)


def unpacked_int8(values: npt.NDArray[np.uint8], scale: Floats) -> Floats:
    return ((values.astype(np.float32) - 128) * scale[:, :, None]).reshape(len(scale), -1)


def random(*shape: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def in_onnx_runtime(folder: Path, linear: Linear, weight: Floats, bias: Floats | None, x: Floats) -> Any:
    with WeightFile(folder / "weights") as file:
        graph = Graph(file)
        graph.input("x", FLOAT, ["rows", weight.shape[1]])
        product = linear(graph, "x", "layer", lambda: weight, None if bias is None else lambda: bias)
        graph.op("Identity", product, name="y")
        graph.output("y", FLOAT, ["rows", len(weight)])
        graph.save(folder / "graph.onnx")
    session = onnxruntime.InferenceSession(folder / "graph.onnx", providers=["CPUExecutionProvider"])
    return session.run(["y"], {"x": x})[0]


MEANT: dict[Linear, tuple[Callable[[Floats], Floats], float, float]] = {
    blockwise_int4: (lambda weight: unpacked(*pack_int4("layer", weight)), 0.01, 0.15),
    blockwise_int8: (lambda weight: unpacked_int8(*pack_int8("layer", weight)), 0.001, 0.02),
}
"""Layer → the weights that were meant, and how far the product may at least and at most be from the exact one."""


@pytest.mark.parametrize("linear", MEANT)
@pytest.mark.parametrize("rows", [1, 7])
@pytest.mark.parametrize("biased", [True, False])
def test_onnx_runtime_multiplies_with_the_weights_that_were_packed(
    tmp_path: Path,
    linear: Linear,
    rows: int,
    biased: bool,  # noqa: FBT001 - a case
) -> None:
    meant, least, most = MEANT[linear]
    weight, x = random(48, 3 * WIDE), random(rows, 3 * WIDE, seed=1)
    bias = random(48, seed=2) if biased else None
    expected = x @ meant(weight).T + (0 if bias is None else bias)
    found = in_onnx_runtime(tmp_path, linear, weight, bias, x)
    assert np.abs(found - expected).max() < 0.01 * np.abs(expected).max()  # activations are rounded to 8 bits
    exact = x @ weight.T + (0 if bias is None else bias)
    assert least < np.linalg.norm(found - exact) / np.linalg.norm(exact) < most


def test_in_8_bits_what_a_row_becomes_does_not_depend_on_the_others(tmp_path: Path) -> None:
    weight, x = random(48, WIDE), random(4, WIDE, seed=1) * np.array([[1], [10], [100], [1000]], np.float32)
    together = in_onnx_runtime(tmp_path, blockwise_int8, weight, None, x)
    for row in range(len(x)):
        alone = in_onnx_runtime(tmp_path, blockwise_int8, weight, None, x[row : row + 1])
        assert np.allclose(together[row], alone[0], rtol=1e-5, atol=1e-5 * np.abs(alone).max())


@given(seed=st.integers(0, 2**32), scale=st.sampled_from([0.0, 1e-6, 1.0, 1e4]))
def test_in_8_bits_no_weight_is_off_by_more_than_half_of_its_blocks_step(seed: int, scale: float) -> None:
    weight = random(8, 2 * WIDE, seed=seed) * np.float32(scale)
    values, steps = pack_int8("layer", weight)
    assert values.shape == (8, 2, WIDE)
    off = np.abs(unpacked_int8(values, steps) - weight).reshape(8, 2, WIDE)
    assert (off <= 0.5001 * steps[:, :, None]).all()


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
    for pack in (pack_int4, pack_int8):
        with pytest.raises(UnsupportedCheckpoint, match="fc9 has 40 inputs"):
            pack("fc9", random(4, 40))
