"""What the runtime and a device's process say to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from whisper_runtime.engine import Waveform
from whisper_runtime.results import Task


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


@dataclass(frozen=True, slots=True)
class Opened:
    """Ready for wishes."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Hear up to 30 s."""

    audio: Waveform
    language: str | None = None
    task: Task = "transcribe"
    prompt: str | None = None
    hotwords: str | None = None
    temperature: float = 0.0
    words: bool = False


@dataclass(frozen=True, slots=True)
class Chunk:
    """Text with its seconds in the audio; `end` is None where the model did not say when it ends."""

    start: float
    end: float | None
    text: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What a wish gave. `words`, where asked for, are the same text once more, word by word."""

    chunks: tuple[Chunk, ...]
    words: tuple[Chunk, ...]
    language: str | None

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(chunk.text for chunk in self.chunks)


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong instead; the process ends after saying so."""

    message: str
    out_of_memory: bool = False
