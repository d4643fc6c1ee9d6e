"""The measuring: one heat for each model and number of threads, then the words of a longer clip, then the ceiling."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.contender import Contender, Take
from benchmarks.cpu.contenders import ENTRANTS, FASTER_WHISPER, OURS
from benchmarks.rounds import Limits, Spread, in_turns, ratios
from tests.support.words import JFK, JFK_WORDS, SAMPLE, sample_words, word_errors


@dataclass(frozen=True, slots=True)
class Heat:
    """All takes of all entrants on the JFK clip, by round."""

    model: str
    threads: int
    takes: dict[str, list[Take]]

    def seconds(self, name: str) -> Spread:
        return Spread.of([take.seconds for take in self.takes[name]])

    def cpu_seconds(self, name: str) -> Spread:
        return Spread.of([take.cpu_seconds for take in self.takes[name]])

    def speed(self, of: str, against: str) -> Spread:
        """How many times as fast `of` is as `against`."""
        both = ([take.seconds for take in self.takes[name]] for name in (against, of))
        return ratios(*both)

    def peak_mib(self, name: str) -> float:
        return max(take.peak_mib for take in self.takes[name])

    def errors(self, name: str) -> int:
        """Words of the clip that the entrant got wrong."""
        return max(word_errors(JFK_WORDS, take.text) for take in self.takes[name])


def heat(model: str, threads: int, limits: Limits) -> Heat:
    """Every entrant in a process of its own; one take each to warm up, then the rounds."""
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(Contender(entrant.setting(model, threads))) for name, entrant in ENTRANTS.items()
        }
        for contender in running.values():
            contender.take(JFK)
        calls = {name: lambda contender=contender: contender.take(JFK) for name, contender in running.items()}
        return Heat(model, threads, in_turns(calls, limits, time.monotonic))


@dataclass(frozen=True, slots=True)
class Words:
    """Word errors on the longer clip, both with their voice detection."""

    model: str
    errors: dict[str, int]
    spoken: int

    def rate(self, name: str) -> float:
        """In per cent of the words spoken."""
        return 100 * self.errors[name] / self.spoken

    @property
    def points(self) -> float:
        """By how much our rate is above that of faster-whisper."""
        return self.rate(OURS) - self.rate(FASTER_WHISPER)


def words(model: str, names: Sequence[str] = (OURS, FASTER_WHISPER)) -> Words:
    """Greedy decoding gives the same text each time, so one take is enough."""
    truth = sample_words()
    errors = {}
    for name in names:
        with Contender(ENTRANTS[name].setting(model, threads=1)) as contender:
            errors[name] = word_errors(truth, contender.take(SAMPLE, vad=True).text)
    return Words(model, errors, spoken=word_errors(truth, ""))
