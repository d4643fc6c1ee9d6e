"""Which precision published files really have, read from the files themselves: names and cards can be wrong."""

from __future__ import annotations

import re
import struct
from collections import Counter
from pathlib import Path

from whisper_models.artifact import Format, Precision, Variant
from whisper_models.errors import UnsupportedCheckpoint
from whisper_models.store.layout import model_file

GGML_MAGIC, GGML_NUMBERS = b"lmgg", 11
GGML_TYPES = {
    1: Precision.FP16,
    2: Precision.Q4_0,
    3: Precision.Q4_1,
    7: Precision.Q8_0,
    8: Precision.Q5_0,
    9: Precision.Q5_1,
}
"""whisper.cpp's numbers for how the matrices are kept; with a thousand for each version of the packing."""

GRAPHS = ("openvino_encoder_model.xml", "openvino_decoder_model.xml")
LARGEST_GRAPH = 64 << 20
"""Bytes of a graph without its weights; large-v3's have three million."""
TAG = re.compile(rb"<data\s[^<>]{1,4096}>")
WEIGHT = re.compile(rb"\s(element_type|size)=\"(\w{1,20})\"")
NARROWEST_FIRST = {
    "u4": Precision.INT4,
    "i4": Precision.INT4,
    "u8": Precision.INT8,
    "i8": Precision.INT8,
    "f16": Precision.FP16,
}
BESIDE = frozenset({"f32", "i64", "i32", "boolean"})
"""What a graph of any precision may keep besides: norms, positions, indices, masks."""
ENOUGH = 0.01
"""Of a graph's bytes: fewer are constants of its arithmetic, not weights."""


def precision_of(folder: Path, variant: Variant) -> Precision | None:
    """What the files of this format in `folder` are; None where they are no model, or of a precision not offered.

    Raises:
        UnsupportedCheckpoint: an OpenVINO graph keeps weights in a type that says nothing of these precisions.
    """
    match variant.format:
        case Format.GGML:
            return _of_ggml(folder / model_file(variant))
        case Format.CTRANSLATE2:
            return _of_ctranslate2(folder / "model.bin")
        case Format.OPENVINO:
            return _of_openvino(folder)
        case _:
            return variant.precision  # stored as published: there is one


def _of_ggml(path: Path) -> Precision | None:
    header = struct.Struct(f"<4s{GGML_NUMBERS}i")
    with path.open("rb") as file:
        start = file.read(header.size)
    if len(start) < header.size or not start.startswith(GGML_MAGIC):
        return None
    return GGML_TYPES.get(header.unpack(start)[-1] % 1000)


def _of_ctranslate2(path: Path) -> Precision | None:
    from whisper_models.convert.ctranslate2.model_file import contents  # noqa: PLC0415 - only for this format

    try:
        kept = {stored.dtype for stored in contents(path).variables.values() if stored.shape}
    except ValueError:
        return None
    if "int8" in kept:
        return Precision.INT8_FLOAT16 if "float16" in kept else Precision.INT8
    return Precision.FP16 if "float16" in kept else None


def _of_openvino(folder: Path) -> Precision | None:
    """Of both graphs together: what is compressed leaves convolutions, or the vocabulary, wider than the rest."""
    found = {_of_graph(folder / name) for name in GRAPHS}
    if None in found:
        return None
    return next((precision for precision in NARROWEST_FIRST.values() if precision in found), None)


def _of_graph(path: Path) -> Precision | None:
    if path.stat().st_size > LARGEST_GRAPH:
        return None
    held: Counter[str] = Counter()
    for tag in TAG.finditer(path.read_bytes()):
        said = dict(WEIGHT.findall(tag[0]))
        if said.keys() == {b"element_type", b"size"} and said[b"size"].isdigit():  # else it is no constant
            held[said[b"element_type"].decode()] += int(said[b"size"])
    weights = [kind for kind, size in held.items() if size > ENOUGH * held.total()]
    if unknown := sorted(set(weights) - NARROWEST_FIRST.keys() - BESIDE):
        known = ", ".join(NARROWEST_FIRST)
        raise UnsupportedCheckpoint(
            f"{path.name} keeps weights as {', '.join(unknown)}, not as {known}: convert it from the checkpoint instead"
        )
    return next((precision for kind, precision in NARROWEST_FIRST.items() if kind in weights), None)
