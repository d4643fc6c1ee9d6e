"""Whether what our command made is what its peers made."""

from __future__ import annotations

import filecmp
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from whisper_models.convert.ggml.reader import Contents, contents

from benchmarks.contender import Contender
from benchmarks.models.conversions import HALF, OPENVINO, QUANTISED, Bench
from benchmarks.peers import Setting
from tests.support.words import JFK, JFK_WORDS, word_errors

SAME = "byte for byte the same"


@dataclass(frozen=True, slots=True)
class Likeness:
    """Of one model in one format."""

    model: str
    what: str
    found: str


def likenesses(bench: Bench, model: str) -> list[Likeness]:
    """GGML by its bytes; OpenVINO by what its engine hears, since graphs may say the same in many ways."""
    found = [
        Likeness(
            model,
            f"{kind[0]} {kind[1]}",
            compared(_single(bench.ours(model, kind)), _single(bench.theirs(model, kind))),
        )
        for kind in (HALF, QUANTISED)
    ]
    ours, theirs = (_heard(place, model) for place in (bench.ours(model, OPENVINO), bench.theirs(model, OPENVINO)))
    errors = [word_errors(JFK_WORDS, text) for text in (ours, theirs)]
    text = "the same text" if ours == theirs else "different texts"
    return [*found, Likeness(model, "openvino int8", f"{text}; word errors {errors[0]} (ours), {errors[1]}")]


def _single(folder: Path) -> Path:
    return next(folder.glob("*.bin"))


def _heard(folder: Path, model: str) -> str:
    setting = Setting("benchmarks.peers.openvino_genai", str(folder), 2, multilingual=not model.endswith(".en"))
    with Contender(setting) as contender:
        return contender.take(JFK).text


def compared(ours: Path, theirs: Path) -> str:
    """Two GGML files, in words."""
    return SAME if filecmp.cmp(ours, theirs, shallow=False) else differences(ours, theirs)


def differences(ours: Path, theirs: Path) -> str:
    """What differs between two GGML files, in words."""
    one, other = contents(ours), contents(theirs)
    names = one.tensors.keys() | other.tensors.keys()
    odd = sorted(name for name in names if _tensor(ours, one, name) != _tensor(theirs, other, name))
    found = [name for name in ("header", "tokens") if getattr(one, name) != getattr(other, name)]
    if one.filters != other.filters:
        here, there = (np.frombuffer(of.filters, np.float32) for of in (one, other))
        found.append("the sign of noughts in the filters" if np.array_equal(here, there) else "filters")
    if odd:
        found.append(f"{len(odd)} of {len(names)} tensors ({odd[0]}, …)")
    elif list(one.tensors) != list(other.tensors):
        found.append("the order of the tensors")
    differs = ", ".join(found) or "the words of the vocabulary"
    return f"different: {differs}" if odd else f"every tensor the same; different: {differs}"


def _tensor(path: Path, of: Contents, name: str) -> tuple[object, bytes] | None:
    stored = of.tensors.get(name)
    if stored is None:
        return None
    with path.open("rb") as file:
        file.seek(stored.offset)
        return (stored.shape, stored.kind), file.read(stored.size)
