"""Who takes part, with which files, on how many threads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from benchmarks import weights
from benchmarks.peers import Setting
from benchmarks.weights import Make

OURS = "whisper-cpu"
FASTER_WHISPER = "faster-whisper"


@dataclass(frozen=True, slots=True)
class Entrant:
    """A library in the precision that people run it in."""

    name: str
    precision: str
    module: str
    make: Make
    file: str = ""
    """What it is pointed at, inside the folder; the folder itself if empty."""

    @property
    def metric(self) -> str:
        """Its name in a metric."""
        return self.name.replace("-", "_").replace(".", "_")

    def setting(self, model: str, threads: int) -> Setting:
        """How its process is started; makes the model's files if they are not there."""
        path = weights.folder(self.make, model) / self.file
        return Setting(self.module, str(path), threads, multilingual=not model.endswith(".en"))


ENTRANTS: Mapping[str, Entrant] = MappingProxyType(
    {
        entrant.name: entrant
        for entrant in (
            Entrant(OURS, "int8", "benchmarks.peers.whisper_cpu", weights.onnx),
            Entrant(FASTER_WHISPER, "int8", "benchmarks.peers.faster_whisper", weights.ctranslate2),
            Entrant("openvino-genai", "int8", "benchmarks.peers.openvino_genai", weights.openvino),
            Entrant("whisper-cpp", "q8_0", "benchmarks.peers.whisper_cpp", weights.ggml, "q8_0.bin"),
        )
    }
)
