"""The one seam between the shared runtime and an inference library.

An engine turns a waveform into segments and knows nothing of HTTP, files, queues or voice detection. The shipped
`fake.FakeEngine` and every real engine pass the same contract tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from whisper_models.artifact import Canary, FileEntry, Validation

from whisper_runtime.results import DeviceUse, Segment, Task

SAMPLE_RATE = 16_000
Waveform = npt.NDArray[np.float32]
"""Mono, 16 kHz, from -1 to 1."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """The files of one variant, as the store found them."""

    path: Path
    model: str
    precision: str
    size_bytes: int
    digest: str | None = None
    canary: Canary | None = None
    validation: Validation | None = None
    files: tuple[FileEntry, ...] = ()
    """What the manifest says of each file, to be compared with before it is served."""
    written_at: int | None = None
    """When the last of its files was written here, in seconds since 1970: the manifest tells of no time."""


@dataclass(frozen=True, slots=True)
class Options:
    """What one request asks of the engine; a new object for each, so that nothing sticks."""

    task: Task = "transcribe"
    language: str | None = None
    """A code such as `en`; None to detect it."""
    prompt: str | None = None
    """Text that the model continues."""
    hotwords: str | None = None
    """Names and terms that are likely to be said."""
    temperature: float = 0.0
    """Where decoding starts; guards may raise it."""
    word_timestamps: bool = False
    logprobs: bool = False
    """Fill each segment's `logprobs`."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What an engine heard; times count from the start of the waveform that it was given."""

    segments: tuple[Segment, ...]
    language: str | None
    language_probability: float | None = None
    align_seconds: float | None = None
    suppressed: tuple[str, ...] = ()
    """The rules by which something was left out as a hallucination, once for each time."""
    heard_in_full: tuple[str, ...] = ()
    """Why windows were heard once more in the model's full context, once for each: the short one was not believed."""
    device: DeviceUse | None = None
    """What heard it, where an engine changes devices at work; None where `info.device` says it."""
    degraded: tuple[str, ...] = ()
    """Options that this device could not honour, though `info` promised them when the request came."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device that the engine can see."""

    name: str
    description: str
    driver: str | None = None
    memory_bytes: int | None = None
    status: str = "available"
    compile_cache: str | None = None


@dataclass(frozen=True, slots=True)
class Fallback:
    """A device that was wanted and could not be used."""

    wanted: str
    used: str
    reason: str
    """One word of a few, such as not_found: the sentence is in the device's status."""


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What an engine is and can do; may change when a model is loaded."""

    runtime: str
    """npu, gpu, mac or cpu: the value of x-whisper-runtime."""
    engine: str
    """The library and its version."""
    device: DeviceUse
    workers: int = 1
    """How many waveforms `transcribe` takes at once."""
    capabilities: frozenset[str] = frozenset()
    """Of: translate, words, prompt, hotwords, logprobs, language_detection."""
    languages: tuple[str, ...] = ()
    devices: tuple[Device, ...] = field(default=())
    """In the order in which they are tried."""
    fallbacks: Mapping[Fallback, int] = field(default_factory=dict)
    """How often each happened since the start."""
    compile_cache: str = "none"
    """Where the compiled model came from: hit, miss, none, or what was wrong with what was there."""


class Stop(Protocol):
    """Called by the engine between steps; raises when nobody waits for the answer any more."""

    def __call__(self) -> None:
        """Go on, or raise."""
        ...


def never() -> None:
    """A Stop for work that is always awaited."""


class Engine(Protocol):
    """An inference library with one model."""

    @property
    def info(self) -> EngineInfo:
        """What it is and can do."""
        ...

    def load(self, artifact: Artifact) -> None:
        """Make the model ready; blocks. Called once, off the event loop."""

    def transcribe(self, audio: Waveform, options: Options, stop: Stop) -> Transcript:
        """Transcribe a waveform of any length; blocks. Called from up to `info.workers` threads at once.

        Raises:
            DeviceLost: no device is left, and none comes back before a restart: the runtime ends
        """

    def close(self) -> None:
        """Give back what `load` took."""


@runtime_checkable
class Compiles(Protocol):
    """An engine that makes the model ready in two steps: `load` reads it, `compile` fits it to a device."""

    def compile(self) -> None:
        """What may take minutes; blocks. Called once, after `load`, off the event loop."""


@runtime_checkable
class HearsTogether(Protocol):
    """An engine that hears several windows of a file in less time than one after the other."""

    @property
    def most_together(self) -> int:
        """How many at once, by the memory that they take; 1 if this model is heard one by one."""
        ...

    def transcribe_together(
        self, audios: Sequence[Waveform], options: Options, stop: Stop
    ) -> Iterator[tuple[Transcript, ...]]:
        """Transcribe waveforms of at most 30 s whose language is given; blocks while it is iterated over.

        After each step, which takes about as long as one waveform does, yields the transcripts that are final by then,
        in order. Between two steps nothing of the waveforms is in the engine but what the iterator holds.
        """
        ...
