"""The words of a window with their times, found along the attention of the heads that follow the audio."""

from __future__ import annotations

from math import exp

from whisper_runtime.decoding.attempt import Attempt
from whisper_runtime.decoding.dtw import attention_cost, first_frames
from whisper_runtime.decoding.graphs import Audio, Graphs
from whisper_runtime.decoding.vocabulary import SECONDS_PER_TIMESTAMP, Vocabulary
from whisper_runtime.decoding.words import TimedWord, group_words, time_words


class Aligner:
    """Times words; keeps nothing between calls."""

    def __init__(self, graphs: Graphs, vocabulary: Vocabulary) -> None:
        self._graphs, self._v = graphs, vocabulary

    def words(
        self, audio: Audio, attempt: Attempt, orders: tuple[int, ...], language: str, frames: int
    ) -> list[TimedWord]:
        """All words of an attempt, whose audio fills `frames` steps of 20 ms; `first` counts the attempt's tokens."""
        v = self._v
        where = [i for i, token in enumerate(attempt.tokens) if token < v.end]
        if not where:
            return []
        said = [attempt.tokens[i] for i in where]
        lead = (v.start, *orders)
        attention = self._graphs.attention((*lead, v.no_timestamps, *said, v.end), audio)
        # Row i is where the decoder listens while it finds token i + 1, so the first word's row is its predecessor's.
        path = first_frames(attention_cost(attention, frames)[len(lead) : -1])
        starts = [frame * SECONDS_PER_TIMESTAMP for frame in path]
        timed = time_words(group_words(said, v.text, language), starts, [exp(attempt.logprobs[i]) for i in where])
        return [TimedWord(w.text, w.start, w.end, w.probability, where[w.first]) for w in timed]
