"""Who takes part, with which files, on how many threads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from benchmarks import weights
from benchmarks.peers import Context, Setting
from benchmarks.weights import Make

OURS = "whisper-cpu"
NPU = "whisper-npu"
FASTER_WHISPER = "faster-whisper"
OPENVINO_GENAI = "openvino-genai"
WHISPER_CPP = "whisper-cpp"
MODEL = "base"


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
    def label(self) -> str:
        """Its name in a table."""
        return f"{self.name} {self.precision}"

    def setting(self, threads: int, *, words: bool = False, context: Context = "full") -> Setting:
        """How its process is started; makes the model's files if they are not there."""
        path = weights.folder(self.make, MODEL) / self.file
        return Setting(self.module, str(path), threads, multilingual=True, words=words, context=context)


ENTRANTS: Mapping[str, Entrant] = MappingProxyType(
    {
        entrant.name: entrant
        for entrant in (
            Entrant(OURS, "int8", "benchmarks.peers.whisper_cpu", weights.onnx),
            Entrant(NPU, "int8", "benchmarks.peers.whisper_npu", weights.openvino),
            Entrant(FASTER_WHISPER, "int8", "benchmarks.peers.faster_whisper", weights.ctranslate2),
            Entrant(OPENVINO_GENAI, "int8", "benchmarks.peers.openvino_genai", weights.openvino),
            Entrant(WHISPER_CPP, "q8_0", "benchmarks.peers.whisper_cpp", weights.ggml, "q8_0.bin"),
        )
    }
)
