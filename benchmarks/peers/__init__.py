"""The libraries that are compared, each in a module of its own that only its own process imports.

A module has one function, `load(setting) -> Peer`. All decode greedily at temperature 0, without earlier text, in the
language of the clip.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Waveform = NDArray[np.float32]
"""Mono, 16 kHz."""

Context = Literal["full", "cut"]
"""What the encoder sees of a short clip: the 30 s that Whisper was trained on, or little more than the clip."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a contender is started with."""

    module: str
    """Where its `load` is."""
    path: str
    """The model's folder or file in the format that it reads."""
    threads: int
    multilingual: bool
    words: bool = False
    """Whether the times of words will be asked for."""
    context: Context = "full"
    """Only our own engines can do with less than 30 s."""

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Setting:
        return cls(**json.loads(text))

    @property
    def folder(self) -> Path:
        return Path(self.path)


class Peer(Protocol):
    """A loaded model."""

    def window(self, audio: Waveform, *, words: bool = False) -> str:
        """At most 30 s, without voice detection; with `words` their times are found as well."""

    def speech(self, audio: Waveform) -> str:
        """Any length, the silences found and left out."""
