"""What each target is best served with, why, and what cannot be done for it here: data, for commands and pages.

A target is a runtime of the operator. Its choices are ordered: the first is what it serves unless told otherwise.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from whisper_models.artifact import Format, Precision, Variant

MACOS = "darwin"
PLATFORM = sys.platform


@dataclass(frozen=True, slots=True)
class Choice:
    """One variant that a target prefers, a sentence that says why, and the one platform that can make it, if any."""

    format: Format
    precision: Precision
    why: str
    only_on: str | None = None

    def __str__(self) -> str:
        return f"{self.format} {self.precision}"


@dataclass(frozen=True, slots=True)
class Target:
    """The variants to make for a runtime, and sentences on what is left out wherever it is made."""

    choices: tuple[Choice, ...]
    cannot: tuple[str, ...] = ()
    cannot_off_macos: tuple[str, ...] = ()
    cannot_on_macos: tuple[str, ...] = ()

    def made_on(self, platform: str) -> tuple[Choice, ...]:
        """The choices that this platform can make, the preferred one first."""
        return tuple(choice for choice in self.choices if choice.only_on in (None, platform))

    def variants(self, model: str, platform: str) -> tuple[Variant, ...]:
        """Those of one model, the preferred one first."""
        return tuple(Variant(model, choice.format, choice.precision) for choice in self.made_on(platform))

    def cannot_on(self, platform: str) -> tuple[str, ...]:
        """What somebody may expect of this target and does not get on this platform, a sentence each."""
        return self.cannot + (self.cannot_on_macos if platform == MACOS else self.cannot_off_macos)


NPU = Target(
    choices=(
        Choice(Format.OPENVINO, Precision.FP16, "FP16 is what the NPU computes in: the texts of the full weights."),
        Choice(Format.OPENVINO, Precision.INT8, "INT8 weights halve what is read for each token, the words stay."),
    ),
    cannot=(
        (
            "Compiling for the NPU is left to the runtime: the result fits one driver and one device, "
            "so it is kept in the node's cache and not in the store."
        ),
        "Validation runs on OpenVINO's CPU device: it proves the graphs, and the runtime's canary proves the NPU.",
    ),
)
MAC = Target(
    choices=(
        Choice(Format.GGML, Precision.Q5_0, "q5_0 is a third of f16, which memory bandwidth turns into speed."),
        Choice(Format.GGML, Precision.Q8_0, "q8_0 is half of f16 and gives its words, for whoever has the memory."),
        Choice(
            Format.COREML,
            Precision.FP16,
            "whisper.cpp, if it was built with WHISPER_COREML=1, runs this encoder beside either file.",
            only_on=MACOS,
        ),
    ),
    cannot_off_macos=(
        (
            "The CoreML encoder is not made here: its compiler (coremlc) exists on macOS only. "
            "Metal runs the GGML files without it."
        ),
    ),
    cannot_on_macos=(
        (
            "Validation does not hear the CoreML encoder, since the whisper.cpp that it runs reads GGML only: "
            "hear a clip with your own before you rely on it."
        ),
    ),
)
GPU = Target(
    choices=(
        Choice(Format.CTRANSLATE2, Precision.FP16, "FP16 is what the GPU computes in: the fastest without any loss."),
        Choice(
            Format.CTRANSLATE2,
            Precision.INT8_FLOAT16,
            "int8_float16 needs about half of the GPU's memory: for large models, or several on one card.",
        ),
    ),
    cannot=("Validation runs on the CPU, in 32 bits: it proves the weights, and the runtime's canary proves the GPU.",),
)
CPU = Target(
    choices=(
        Choice(
            Format.ONNX, Precision.INT8, "Dynamic INT8 is the fastest of all that costs no word: see the benchmark."
        ),
    ),
    cannot=(
        (
            "INT4 is not made for this target: it is faster for each token and changes words at tiny and base size. "
            "`convert --format onnx --precision int4` makes it for whoever wants it."
        ),
    ),
)

TARGETS: Mapping[str, Target] = MappingProxyType({"npu": NPU, "mac": MAC, "gpu": GPU, "cpu": CPU})
"""By the runtime's name."""
