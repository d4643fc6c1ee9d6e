"""The precision of published OpenVINO graphs is told from their constants, whoever compressed them, or is not told."""

from pathlib import Path

import pytest
from whisper_models.artifact import Format, Precision, Variant
from whisper_models.download.precisions import GRAPHS, precision_of
from whisper_models.errors import UnsupportedCheckpoint

VARIANT = Variant("tiny.en", Format.OPENVINO, Precision.INT8)

MATRIX, NORMS, STEPS = ("f16", 1_000_000), ("f32", 40_000), ("f16", 30_000)
CASES: dict[str, tuple[list[tuple[str, int]], list[tuple[str, int]], Precision | None]] = {
    "nothing compressed": ([MATRIX, NORMS], [MATRIX], Precision.FP16),
    "bytes without a sign": ([("u8", 500_000), STEPS, NORMS], [("u8", 900_000), STEPS], Precision.INT8),
    "bytes with a sign": ([("i8", 500_000), STEPS, NORMS], [("i8", 900_000), STEPS], Precision.INT8),
    "only the decoder compressed": ([MATRIX], [("i8", 900_000), STEPS], Precision.INT8),
    "halves of bytes beside a vocabulary in whole ones": (
        [("i4", 250_000), MATRIX],
        [("u8", 900_000), ("u4", 90_000)],
        Precision.INT4,
    ),
    "a flag in a byte is no weight": ([MATRIX, ("u8", 1), ("i64", 1_000)], [MATRIX], Precision.FP16),
    "a mask, indices and a few odd bytes beside the weights": (
        [MATRIX, ("boolean", 200_000), ("i64", 50_000), ("i32", 50_000), ("f8e4m3", 9_000)],
        [MATRIX],
        Precision.FP16,
    ),
    "full floats are not offered": ([("f32", 2_000_000), ("u8", 1)], [("f32", 2_000_000)], None),
    "no constants at all": ([], [], None),
}


def _graph(constants: list[tuple[str, int]]) -> str:
    tags = [
        f'<layer type="Const"><data element_type="{kind}" shape="9" offset="0" size="{size}" /></layer>'
        for kind, size in constants
    ]
    other = '<layer type="Convert"><data destination_type="f32" /></layer>'
    return "\n".join(['<?xml version="1.0"?>', "<net>", other, *tags, "</net>"])


@pytest.mark.parametrize("case", CASES)
def test_a_graph_tells_its_precision(tmp_path: Path, case: str) -> None:
    encoder, decoder, expected = CASES[case]
    _publish(tmp_path, encoder, decoder)
    assert precision_of(tmp_path, VARIANT) == expected


@pytest.mark.parametrize("kind", ["nf4", "f4e2m1", "f8e4m3", "u2", "bf16", "f64", "q_next"])
def test_weights_of_a_type_that_is_not_known_are_refused_by_its_name(tmp_path: Path, kind: str) -> None:
    """Beside a vocabulary in whole bytes: without a look at the odd type these would pass as int8."""
    _publish(tmp_path, [MATRIX], [("u8", 900_000), (kind, 500_000), STEPS])
    with pytest.raises(UnsupportedCheckpoint, match=rf"openvino_decoder_model\.xml keeps weights as {kind}, not as u4"):
        precision_of(tmp_path, VARIANT)


def _publish(folder: Path, *graphs: list[tuple[str, int]]) -> None:
    for name, constants in zip(GRAPHS, graphs, strict=True):
        (folder / name).write_text(_graph(constants))


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\x00 nonsense", b"<data size='1'", b'<data element_type="f16" size="x"/>', b"<data " * 100_000],
    ids=["empty", "nonsense", "an open tag", "a size that is none", "open tags only"],
)
def test_what_is_no_graph_has_no_precision(tmp_path: Path, content: bytes) -> None:
    for name in GRAPHS:
        (tmp_path / name).write_bytes(content)
    assert precision_of(tmp_path, VARIANT) is None
