"""Proves what can be proved before the first request: no request hears another's audio, and the words are right.

A built-in clip is heard, then another one, then the first again, by every worker. What is said of the first must be the
same both times, in whatever language the model answers. Where the manifest has a clip with the words that validation
recorded, that is the other one, and its words must come out, as nearly as validation asked for: only then is anything
known about the words.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from enum import StrEnum
from pathlib import Path

from whisper_models.artifact import Canary
from whisper_models.character_errors import character_error_rate
from whisper_models.clips import Clip, bundled

from whisper_runtime.audio.decode import decode
from whisper_runtime.audio.mono import Limits
from whisper_runtime.engine import Artifact, Options, Transcript, Waveform
from whisper_runtime.errors import EngineError
from whisper_runtime.serving.inference import Inference
from whisper_runtime.serving.stop import StopFlag
from whisper_runtime.speech.spans import DEFAULT, Sensitivity

_CLIPS = Path(__file__).parent / "clips"
FIRST, SECOND = _CLIPS / "americans.flac", _CLIPS / "country.flac"
_LEAST = 0.8
"""How alike the words must be, however little validation asked for: it is the same variant that says them."""
_MAX_SECONDS = 30.0
_PATIENCE = 300.0


class Check(StrEnum):
    """What a model can have passed."""

    ISOLATION = "isolation"
    WORDS = "words"


async def prove(inference: Inference, artifact: Artifact) -> frozenset[Check]:
    """Run the model through the same queue and threads as requests; the checks that said something.

    Raises:
        EngineError: when a check fails.
    """
    canary, workers = artifact.canary, range(inference.engine.info.workers)
    first, second = clip(FIRST), _second(canary)
    language, other = second.language, clip(second.path)
    before = [_said(await _hear(inference, first)) for _ in workers]
    between = [await _hear(inference, other, language, vad=DEFAULT if canary else None) for _ in workers]
    after = [_said(await _hear(inference, first)) for _ in workers]
    if len({*before, *after}) > 1:
        raise EngineError(f"the clip {FIRST.name} gave different answers before and after {second.name}: requests mix")
    passed = set[Check]()
    if before[0] not in map(_said, between):  # an engine that says the same of everything proves nothing
        passed.add(Check.ISOLATION)
    if canary is not None:
        least = max(_LEAST, artifact.validation.threshold if artifact.validation else 1.0)
        for transcript in between:
            _require_words(transcript, canary, least)
        passed.add(Check.WORDS)
    return frozenset(passed)


def clip(file: Path) -> Waveform:
    """The audio of a clip."""
    with file.open("rb") as opened:
        return decode(opened, Limits(_MAX_SECONDS))


def _second(canary: Canary | None) -> Clip:
    if canary is None:
        return Clip(SECOND, language=None)
    known = bundled(canary.clip)
    if known is None:
        raise EngineError(
            f"the manifest names the clip {canary.clip!r}, which this version does not have: "
            "validate the variant again with whisper-models of this version"
        )
    return known


async def _hear(
    inference: Inference, audio: Waveform, language: str | None = None, *, vad: Sensitivity | None = None
) -> Transcript:
    outcome = await inference.run(audio, Options(language=language), StopFlag(_PATIENCE, "canary"), vad=vad)
    return outcome.heard.transcript


def _said(transcript: Transcript) -> Hashable:
    """What must not change: words and times, not probabilities, whose last digits depend on the order of threads."""
    return transcript.language, tuple((s.start, s.end, s.text, s.tokens) for s in transcript.segments)


def _require_words(transcript: Transcript, canary: Canary, least: float) -> None:
    """Not to the letter: validation hears the clip whole and without times, in the way that all engines share."""
    said = "".join(segment.text for segment in transcript.segments)
    if 1.0 - character_error_rate(_words(canary.text), _words(said)) < least:
        raise EngineError(f"the canary {canary.clip} gave {said.strip()!r} instead of {canary.text!r}")


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
