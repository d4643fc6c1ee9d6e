"""The grammar of timestamps, on a vocabulary of ten words and five times."""

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from whisper_runtime.decoding.rules import Chooser, forbid_by_grammar
from whisper_runtime.decoding.vocabulary import Vocabulary

WORDS = range(10)
END, START, NO_TIMESTAMPS, TIME = 10, 11, 14, 15
SIZE = TIME + 5


@pytest.fixture
def vocabulary() -> Vocabulary:
    never = np.zeros(SIZE, np.float32)
    never[END + 1 : TIME] = -np.inf
    never_first = never.copy()
    never_first[END] = -np.inf
    return Vocabulary(
        size=SIZE,
        end=END,
        start=START,
        previous=12,
        no_speech=13,
        no_timestamps=NO_TIMESTAMPS,
        first_timestamp=TIME,
        latest_first_timestamp=TIME + 2,
        languages={},
        tasks={},
        alignment_heads=1,
        never=never,
        never_first=never_first,
        tokenizer=Tokenizer(WordLevel({"a": 0}, unk_token="a")),
    )


def allowed(said: list[int], vocabulary: Vocabulary) -> set[int]:
    scores = vocabulary.never.copy()
    forbid_by_grammar(scores, said, vocabulary)
    return {int(i) for i in np.flatnonzero(np.isfinite(scores))}


TIMES = set(range(TIME, SIZE))
TEXT = {*WORDS, END}
CASES = [
    ("the first token is an early time", [], {TIME, TIME + 1, TIME + 2}),
    ("after the first time come words or the end", [TIME + 1], TEXT),
    ("after a word, words or a later time", [TIME + 1, 3], TEXT | {TIME + 2, TIME + 3, TIME + 4}),
    ("after a closing time, the same or a later time, or the end", [TIME, 3, TIME + 3], {END, TIME + 3, TIME + 4}),
    ("after an opening time, words or the end", [TIME, 3, TIME + 3, TIME + 3], TEXT),
    ("a segment has a length", [TIME, 3, TIME + 3, TIME + 3, 4], TEXT | {TIME + 4}),
]


@pytest.mark.parametrize(("said", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_what_may_come_next(said: list[int], expected: set[int], vocabulary: Vocabulary) -> None:
    assert allowed(said, vocabulary) == expected


def choose(
    logits: dict[int, float], said: list[int], vocabulary: Vocabulary, temperature: float = 0.0
) -> tuple[int, float]:
    row = np.full(SIZE, -20.0, np.float32)
    for token, logit in logits.items():
        row[token] = logit
    choice = Chooser(vocabulary).choose(row, said, temperature, np.random.default_rng(3))
    return choice.token, choice.logprob


def test_a_time_wins_when_all_times_together_beat_any_word(vocabulary: Vocabulary) -> None:
    split = {5: 2.0, TIME + 2: 1.5, TIME + 3: 1.5, TIME + 4: 1.5}
    token, logprob = choose(split, [TIME, 3], vocabulary)
    assert token == TIME + 2
    assert logprob == pytest.approx(np.log(1 / 3), abs=1e-3)


def test_a_word_wins_when_it_is_likelier_than_all_times(vocabulary: Vocabulary) -> None:
    token, logprob = choose({5: 4.0, TIME + 2: 1.5}, [TIME, 3], vocabulary)
    assert token == 5
    assert logprob == pytest.approx(4 - np.log(np.exp(4) + np.exp(1.5)), abs=1e-3)


def test_what_is_suppressed_is_never_said_at_any_temperature(vocabulary: Vocabulary) -> None:
    said = {choose({START: 50.0, NO_TIMESTAMPS: 50.0}, [TIME], vocabulary, t)[0] for t in (0.0, 0.5, 1.0)}
    assert said <= TEXT


def test_a_temperature_draws_by_probability(vocabulary: Vocabulary) -> None:
    chooser, random = Chooser(vocabulary), np.random.default_rng(0)
    row = np.full(SIZE, -50.0, np.float32)
    row[[2, 7]] = np.log([3.0, 1.0])
    drawn = [chooser.choose(row, [TIME], 1.0, random).token for _ in range(400)]
    assert 0.65 < drawn.count(2) / 400 < 0.85
    assert set(drawn) == {2, 7}
