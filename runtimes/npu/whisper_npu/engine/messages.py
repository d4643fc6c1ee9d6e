"""What the runtime and a device's process say to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from whisper_runtime.decoding.context import ContextMode
from whisper_runtime.engine import Options, Waveform

Decoding = Literal["graphs", "genai"]
"""Our own loop over the graphs; or OpenVINO GenAI, which knows how to make the static shapes that an NPU wants."""


@dataclass(frozen=True, slots=True)
class Look:
    """Say which devices there are."""


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """A device as its driver describes it."""

    name: str
    description: str
    driver: str | None = None
    memory_bytes: int | None = None
    traits: tuple[str, ...] = ()
    """What a compiled model depends on beside the driver, such as the instruction sets of a CPU."""


@dataclass(frozen=True, slots=True)
class Survey:
    """All devices that there are, and the version of OpenVINO that sees them."""

    devices: tuple[FoundDevice, ...]
    version: str

    def find(self, wanted: str) -> FoundDevice | None:
        """The device of that name; where there are several of a kind, the first."""
        exact = [device for device in self.devices if device.name == wanted]
        numbered = [device for device in self.devices if device.name.startswith(f"{wanted}.")]
        return next(iter(exact + numbered), None)


@dataclass(frozen=True, slots=True)
class Opening:
    """Compile a model's folder for a device, and wait for wishes."""

    folder: Path
    device: str
    properties: Mapping[str, Any]
    context: ContextMode = "cut"
    """What a short window is heard in, where the device lets us choose."""
    by: Decoding = "graphs"


@dataclass(frozen=True, slots=True)
class Opened:
    """Ready for wishes."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Hear a waveform; the answer is its Transcript."""

    audio: Waveform
    options: Options


@dataclass(frozen=True, slots=True)
class Working:
    """The answer is being made: said now and then."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Nobody waits for the answer any more."""


@dataclass(frozen=True, slots=True)
class Left:
    """There is no answer, since nobody waited for it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong instead; the process ends after saying so."""

    message: str
    out_of_memory: bool = False
