"""Proves, before the first request, that the model says the right words on this machine.

The manifest's clip gives the text that validation recorded for it, so a fine-tune in any language has its own proof.
A model without one is warmed up with a chord; then only a crash can be seen.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from whisper_runtime.audio.decode import decode
from whisper_runtime.engine import SAMPLE_RATE, Artifact, Options, Waveform
from whisper_runtime.errors import EngineError
from whisper_runtime.serving.inference import Inference
from whisper_runtime.serving.stop import StopFlag

_MAX_SECONDS = 30.0
_PATIENCE = 300.0
_CHORD_HZ = (220.0, 277.2, 329.6)


async def prove(inference: Inference, artifact: Artifact) -> None:
    """Run the model once, through the same queue and threads as requests.

    Raises:
        EngineError: when it says something else than it should.
    """
    canary = artifact.canary
    audio = chord() if canary is None else clip(artifact.path / canary.clip)
    outcome = await inference.run(audio, Options(), StopFlag(_PATIENCE), vad=canary is not None)
    if canary is None:
        return
    said = "".join(segment.text for segment in outcome.heard.transcript.segments)
    if _words(said) != _words(canary.text):
        raise EngineError(f"the canary {canary.clip} gave {said.strip()!r} instead of {canary.text!r}")


def chord(seconds: float = 1.0) -> Waveform:
    """A quiet chord: deterministic, not silent, not speech."""
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    mixed = sum(np.sin(2 * np.pi * hz * t) for hz in _CHORD_HZ)
    return np.asarray(0.1 * mixed, np.float32)


def clip(file: Path) -> Waveform:
    """The clip that a manifest names."""
    with file.open("rb") as opened:
        return decode(opened, _MAX_SECONDS)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
