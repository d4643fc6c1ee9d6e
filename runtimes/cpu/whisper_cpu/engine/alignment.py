"""The words of a window with their times, found along the attention of the heads that follow the audio."""

from __future__ import annotations

from math import exp
from typing import Any

import numpy as np

from whisper_cpu.engine.attempt import Attempt
from whisper_cpu.engine.dtw import attention_cost, first_frames
from whisper_cpu.engine.graphs import Graphs, value
from whisper_cpu.engine.mel import Floats
from whisper_cpu.engine.vocabulary import SECONDS_PER_TIMESTAMP, Vocabulary
from whisper_cpu.engine.words import TimedWord, group_words, time_words


class Aligner:
    """Runs the alignment graph; keeps nothing between calls."""

    def __init__(self, graphs: Graphs, vocabulary: Vocabulary) -> None:
        self._graph, self._v = graphs.align, vocabulary
        self._inputs = frozenset(node.name for node in graphs.align.get_inputs())

    def words(
        self, cross: dict[str, Any], attempt: Attempt, orders: tuple[int, ...], language: str, frames: int
    ) -> list[TimedWord]:
        """All words of an attempt, whose audio fills `frames` steps of 20 ms; `first` counts the attempt's tokens."""
        v = self._v
        where = [i for i, token in enumerate(attempt.tokens) if token < v.end]
        if not where:
            return []
        said = [attempt.tokens[i] for i in where]
        lead = (v.start, *orders)
        attention = self._attention((*lead, v.no_timestamps, *said, v.end), cross)
        # Row i is where the decoder listens while it finds token i + 1, so the first word's row is its predecessor's.
        path = first_frames(attention_cost(attention, frames)[len(lead) : -1])
        starts = [frame * SECONDS_PER_TIMESTAMP for frame in path]
        timed = time_words(group_words(said, v.text, language), starts, [exp(attempt.logprobs[i]) for i in where])
        return [TimedWord(w.text, w.start, w.end, w.probability, where[w.first]) for w in timed]

    def _attention(self, ids: tuple[int, ...], cross: dict[str, Any]) -> Floats:
        """(heads, tokens, frames) of the whole 30 s."""
        inputs = cross | {"ids": value(np.array([ids], np.int64)), "pos": value(np.arange(len(ids)))}
        feeds = {name: bound for name, bound in inputs.items() if name in self._inputs}
        (probabilities,) = self._graph.run_with_ort_values(["probs"], feeds)
        attention: Floats = probabilities.numpy()
        return attention
