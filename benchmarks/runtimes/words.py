"""The part `words`: what each engine gets wrong of each clip, with voice detection if it has that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.contender import Contender
from benchmarks.report import say
from benchmarks.runtimes.clips import Clip
from benchmarks.runtimes.contenders import ENTRANTS
from benchmarks.runtimes.engines import CUT, LANES, NPU_CUT
from tests.support.words import word_errors


@dataclass(frozen=True, slots=True)
class Mistakes:
    """Word errors by engine and clip."""

    clips: Sequence[Clip]
    errors: Mapping[str, Mapping[str, int]]

    def spoken(self, clip: Clip) -> int:
        """How many words there are."""
        return word_errors(clip.words, "")

    def rate(self, name: str) -> float:
        """Of all clips together, in per cent of the words spoken."""
        return 100 * sum(self.errors[name].values()) / sum(map(self.spoken, self.clips))


def mistakes(clips: Sequence[Clip]) -> Mistakes:
    """Greedy decoding gives the same text each time, so one take of each is enough."""
    errors = {}
    for name in (*ENTRANTS, CUT, NPU_CUT):
        say(f"words of {LANES[name].label}")
        with Contender(LANES[name].setting(threads=2)) as contender:
            errors[name] = {
                clip.name: word_errors(clip.words, contender.take(clip.file, vad=True).text) for clip in clips
            }
    return Mistakes(clips, errors)
