"""When words are said, against what espeak-ng knows of its own speech."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

import numpy as np
from whisper_runtime.results import Timing, Word

from tests.contract.speech.conftest import Hear
from tests.support.clips import sentences
from tests.support.espeak import SpokenWord

CLOSE = 0.15
"""Seconds, on average."""
MOST = 0.8
"""Of the words must be understood: only of these there are times."""


@dataclass(frozen=True, slots=True)
class Errors:
    """How far off the words are that were understood, in seconds."""

    starts: list[float]
    ends: list[float]

    def __str__(self) -> str:
        told = (f"{name} {np.mean(np.abs(off)):.3f} s off, {np.mean(off):+.3f} s late" for name, off in self.named)
        return f"{len(self.starts)} words: {'; '.join(told)}"

    @property
    def named(self) -> list[tuple[str, list[float]]]:
        return [("starts", self.starts), ("ends", self.ends)]


def errors(said: Sequence[SpokenWord], heard: list[Word]) -> Errors:
    """Of the words that are the same in both, in order."""
    a, b = [plain(word.text) for word in said], [plain(word.word) for word in heard]
    blocks = SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    pairs = [(said[one.a + i], heard[one.b + i]) for one in blocks for i in range(one.size)]
    return Errors([mine.start - own.start for own, mine in pairs], [mine.end - own.end for own, mine in pairs])


def plain(word: str) -> str:
    return re.sub(r"\W", "", word.lower())


def test_words_begin_and_end_when_they_are_said(hear: Hear) -> None:
    """By four voices, with pauses that are left out of what the engine hears."""
    speech = sentences()

    heard = hear(speech.audio, word_timestamps=True).words

    found = errors(speech.words, heard)
    print(found)  # noqa: T201 - seen with -s, and what the reference page tells
    assert len(found.starts) >= MOST * len(speech.words)
    assert all(np.mean(np.abs(off)) < CLOSE for _, off in found.named), found
    assert {word.timing for word in heard} == {Timing.DTW}
    assert all(a.start <= a.end <= b.end and a.start <= b.start for a, b in pairwise(heard))
