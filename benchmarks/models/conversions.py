"""The conversions: the same checkpoint, by our command and by its peer's, in turns."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from whisper_models.artifact import Format, Precision, Variant
from whisper_models.store import UnifiedModelManager

from benchmarks.models.checkpoints import checkpoint, size_bytes, stored
from benchmarks.models.peers import Optimum, WhisperCpp
from benchmarks.models.processes import OURS, Take, run
from benchmarks.rounds import Limits, Spread, in_turns, ratios

OUR, OPTIMUM, TOOLS = "whisper-models", "optimum-cli", "whisper.cpp's tools"
OPENVINO, HALF, QUANTISED = (
    (Format.OPENVINO, Precision.INT8),
    (Format.GGML, Precision.FP16),
    (Format.GGML, Precision.Q5_0),
)
Kind = tuple[Format, Precision]


@dataclass(frozen=True, slots=True)
class Heat:
    """All takes of one model in one format, by contender and round; ours is one of them."""

    model: str
    kind: Kind
    takes: dict[str, list[Take]]

    @property
    def peer(self) -> str | None:
        """Whom ours is compared with, if anybody."""
        return next((name for name in self.takes if name != OUR), None)

    def seconds(self, name: str) -> Spread:
        return Spread.of([take.seconds for take in self.takes[name]])

    def cpu_seconds(self, name: str) -> float:
        return Spread.of([take.cpu_seconds for take in self.takes[name]]).median

    def peak_mib(self, name: str) -> float:
        return max(take.peak_mib for take in self.takes[name])

    def speed(self, against: str) -> Spread:
        """How many times as fast ours is."""
        both = ([take.seconds for take in self.takes[name]] for name in (against, OUR))
        return ratios(*both)

    def memory(self, against: str) -> float:
        """How many times as much memory ours takes."""
        return self.peak_mib(OUR) / self.peak_mib(against)


class Bench:
    """The folders of one run, and what is made in them."""

    def __init__(self, scratch: Path, optimum: Optimum, tools: WhisperCpp) -> None:
        self._scratch = scratch
        self._optimum = optimum
        self._tools = tools
        self._store = UnifiedModelManager(scratch / "store")

    def prepare(self, model: str) -> None:
        """Have a checkpoint in the store."""
        stored(self.source(model), model, self._store.root)

    def source(self, model: str) -> Path:
        """The checkpoint as published."""
        return checkpoint(model, self._scratch)

    def size_mib(self, model: str) -> float:
        """Of the checkpoint."""
        return size_bytes(self.source(model)) / 2**20

    def ours(self, model: str, kind: Kind) -> Path:
        """What our command made."""
        return self._store.path(Variant(model, *kind))

    def theirs(self, model: str, kind: Kind) -> Path:
        """What the peer made."""
        folder = self._scratch / "theirs" / f"{model}-{kind[0]}-{kind[1]}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def heat(self, model: str, kind: Kind, limits: Limits, *, alone: bool = False) -> Heat:
        """In turns, unless ours is to run alone."""
        contenders: dict[str, Callable[[], Take]] = {OUR: lambda: self._convert(model, kind)}
        if not alone:
            contenders |= self._peer(model, kind)
        return Heat(model, kind, in_turns(contenders, limits, time.monotonic))

    def _convert(self, model: str, kind: Kind) -> Take:
        """As a user converts: the source verified, the result read back, hashed, and made durable."""
        self._store.remove(Variant(model, *kind))
        form, precision = kind
        what = ["--models", model, "--format", form, "--precision", precision, "--quiet"]
        return run([*OURS, "convert", "--root", str(self._store.root), *what])

    def _peer(self, model: str, kind: Kind) -> dict[str, Callable[[], Take]]:
        if kind == OPENVINO:
            return {OPTIMUM: lambda: self._export(model)}
        return {TOOLS: lambda: self._by_tools(model, kind)}

    def warm(self, model: str) -> None:
        """Everybody's libraries read from disk and compiled once, so that nobody waits for that later."""
        for kind in (OPENVINO, QUANTISED):
            self.heat(model, kind, Limits(1, 0, least=1))

    def _export(self, model: str) -> Take:
        target = _emptied(self.theirs(model, OPENVINO))
        return self._optimum.export(self.source(model), target, Precision.INT8)

    def _by_tools(self, model: str, kind: Kind) -> Take:
        half = _emptied(self.theirs(model, HALF))
        take = self._tools.convert(self.source(model), half)
        if kind == HALF:
            return take
        target = _emptied(self.theirs(model, kind)) / "ggml-model.bin"
        return take.then(self._tools.quantise(half / "ggml-model.bin", target, kind[1]))


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder)
    folder.mkdir()
    return folder
