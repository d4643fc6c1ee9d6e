"""The part `engines`: libraries in turns, each in a process of its own, bound to as many cores as it has threads."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import MappingProxyType

from benchmarks.contender import Contender, Take
from benchmarks.peers import Context, Setting
from benchmarks.rounds import Limits, Spread, in_turns, ratios
from benchmarks.runtimes.clips import Clip
from benchmarks.runtimes.contenders import ENTRANTS, NPU, OURS, Entrant
from tests.support.words import word_errors


@dataclass(frozen=True, slots=True)
class Lane:
    """An entrant, and how it is asked."""

    entrant: Entrant
    context: Context = "full"
    words: bool = False

    @property
    def label(self) -> str:
        cut = ", context cut to the clip" if self.context == "cut" else ""
        return f"{self.entrant.label}{cut}{', words on' if self.words else ''}"

    def setting(self, threads: int) -> Setting:
        return self.entrant.setting(threads, words=self.words, context=self.context)


CUT, WORDS_ON, CUT_WORDS_ON, NPU_CUT = "cut", "words on", "cut, words on", "npu, cut"
"""Our engines once more; alone their names stand for the full context, words off."""
LANES: Mapping[str, Lane] = MappingProxyType(
    {
        OURS: Lane(ENTRANTS[OURS]),
        CUT: Lane(ENTRANTS[OURS], "cut"),
        WORDS_ON: Lane(ENTRANTS[OURS], words=True),
        CUT_WORDS_ON: Lane(ENTRANTS[OURS], "cut", words=True),
        NPU: Lane(ENTRANTS[NPU]),
        NPU_CUT: Lane(ENTRANTS[NPU], "cut"),
        **{name: Lane(entrant) for name, entrant in ENTRANTS.items() if name not in {OURS, NPU}},
    }
)


@dataclass(frozen=True, slots=True)
class Heat:
    """All takes of all lanes on one clip, by round."""

    clip: Clip
    threads: int
    takes: Mapping[str, Sequence[Take]]

    def seconds(self, name: str) -> Spread:
        return Spread.of([take.seconds for take in self.takes[name]])

    def cpu_seconds(self, name: str) -> Spread:
        return Spread.of([take.cpu_seconds for take in self.takes[name]])

    def times(self, slow: str, fast: str) -> Spread:
        """How many times as long one took as the other."""
        both = ([take.seconds for take in self.takes[name]] for name in (slow, fast))
        return ratios(*both)

    def times_cpu(self, slow: str, fast: str) -> Spread:
        """The same in processor time, which a load from elsewhere hardly moves."""
        both = ([take.cpu_seconds for take in self.takes[name]] for name in (slow, fast))
        return ratios(*both)

    def peak_mib(self, name: str) -> float:
        return max(take.peak_mib for take in self.takes[name])

    def errors(self, name: str) -> int:
        """Words of the clip that it got wrong."""
        return max(word_errors(self.clip.words, take.text) for take in self.takes[name])


def heat(clip: Clip, threads: int, limits: Limits) -> Heat:
    """One take each to warm up, then the rounds."""
    with ExitStack() as stack:
        calls = {}
        for name, lane in LANES.items():
            contender = stack.enter_context(Contender(lane.setting(threads)))
            contender.take(clip.file, words=lane.words)
            calls[name] = lambda contender=contender, lane=lane: contender.take(clip.file, words=lane.words)
        return Heat(clip, threads, in_turns(calls, limits, time.monotonic))
