"""A model that says what it is told of each window, at the seam where real graphs are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from whisper_runtime.decoding.graphs import Audio, Floats, Positions
from whisper_runtime.decoding.mel import LogMel
from whisper_runtime.decoding.vocabulary import Vocabulary

END, START, TIME = 1, 2, 6
SIZE = TIME + 1501
FULL = 1500


def vocabulary() -> Vocabulary:
    """Of one word, which is `again`."""
    forbidden = np.zeros(SIZE, np.float32)
    forbidden[END + 1 : TIME] = -np.inf
    return Vocabulary(
        size=SIZE,
        end=END,
        start=START,
        previous=3,
        no_speech=4,
        no_timestamps=5,
        first_timestamp=TIME,
        latest_first_timestamp=TIME + 50,
        languages={},
        tasks={},
        alignment_heads=1,
        never=forbidden,
        never_first=forbidden,
        tokenizer=Tokenizer(WordLevel({"again": 0}, unk_token="again")),
    )


class FirstSample(LogMel):
    """A spectrogram that says nothing but which window it is: the first sample of it, everywhere."""

    def __call__(self, audio: Floats, frames: int = 2 * FULL) -> Floats:
        return np.full((1, frames, self.bins), audio[0], np.float32)


@dataclass(frozen=True, slots=True)
class Line:
    """What is said of a window, token by token; `silent` if the model hears nobody and is unsure of it."""

    tokens: Sequence[int]
    silent: bool = False

    def logits(self, at: int) -> Floats:
        """After so many tokens were fed."""
        found = np.full(SIZE, -30, np.float32)
        if self.silent:
            found[0] = found[TIME] = found[END] = found[TIME + 1 : TIME + 50] = -0.1
            found[4] = 9
        else:
            found[self.tokens[min(at, len(self.tokens)) - 1]] = 0
        return found


Script = Mapping[int, Line]
"""By the window's first sample."""


@dataclass(frozen=True, slots=True)
class Window:
    """Audio as these graphs know it."""

    first_sample: int
    full: bool


class Told:
    """Graphs over two scripts: one for windows in Whisper's 30 s, one for those in a context of their own."""

    positions = 448

    def __init__(self, full: Script, cut: Script | None = None) -> None:
        self._scripts = {True: full, False: cut or full}
        self._line = Line((END,))
        self.logits: Floats = np.zeros(SIZE, np.float32)
        self.at = 0
        self.batches: list[int] = []
        """How many windows were decoded at once, each time."""

    def line(self, audio: Window) -> Line:
        return self._scripts[audio.full][audio.first_sample]

    def encode(self, mel: Floats, positions: Positions) -> Window:
        assert mel.shape[1] == 2 * len(positions)
        return Window(int(mel[0, 0, 0]), len(positions) == FULL)

    def decoder(self) -> Told:
        return self

    def batch_decoder(self, audios: list[Audio]) -> ToldTogether:
        self.batches.append(len(audios))
        return ToldTogether(self, audios)

    def attend(self, audio: Window) -> None:
        self._line, self.at = self.line(audio), 0

    def rewind(self, at: int) -> None:
        self.at = at

    def feed(self, tokens: tuple[int, ...]) -> Floats:
        self.at += len(tokens)
        self.logits[:] = self._line.logits(self.at)
        return self.logits

    def attention(self, tokens: tuple[int, ...], audio: Audio) -> Floats:
        raise AssertionError((tokens, audio))

    def release(self) -> None:
        pass


class ToldTogether:
    """The same of several windows at once."""

    positions = Told.positions

    def __init__(self, told: Told, audios: list[Audio]) -> None:
        self.audios = tuple(audios)
        self._lines = [told.line(audio) for audio in audios]
        self.logits: Floats = np.zeros((len(audios), SIZE), np.float32)
        self.at = 0

    def feed(self, tokens: Sequence[tuple[int, ...]]) -> Floats:
        assert len({len(row) for row in tokens}) == 1
        assert not self.at or len(tokens[0]) == 1
        self.at += len(tokens[0])
        for row, line in enumerate(self._lines):
            self.logits[row] = line.logits(self.at)
        return self.logits
