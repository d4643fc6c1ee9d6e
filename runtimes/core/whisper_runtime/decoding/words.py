"""From tokens with times to words: where they begin, which punctuation is theirs, and what is too long to be true.

Pure but for the tokenizer's `decode`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median

_NO_SPACES = frozenset({"zh", "ja", "th", "lo", "my", "yue"})
_BEFORE = frozenset("\"'“¿([{-")
_AFTER = frozenset("\"'.。,，!！?？:：”)]}、")  # noqa: RUF001 - the wide forms are what is meant
_SENTENCE_END = frozenset(".。!！?？")  # noqa: RUF001 - the wide forms are what is meant
_REPLACEMENT = "\ufffd"
_LONGEST_MEDIAN = 0.7

Decode = Callable[[list[int]], str]


@dataclass(frozen=True, slots=True)
class Group:
    """Tokens `first` up to `end` that make one word."""

    text: str
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word, its seconds in the window, the mean probability of its tokens, and the index of its first token."""

    text: str
    start: float
    end: float
    probability: float
    first: int


def group_words(tokens: Sequence[int], decode: Decode, language: str | None) -> list[Group]:
    """Tokens grouped into words, punctuation joined to its word."""
    characters = _characters(tokens, decode)
    words = characters if language in _NO_SPACES else _spaced(characters)
    return _with_following(_with_preceding(words))


def _characters(tokens: Sequence[int], decode: Decode) -> list[Group]:
    """The smallest runs of tokens that decode to whole characters: some characters take several tokens."""
    groups: list[Group] = []
    first = 0
    for i in range(len(tokens)):
        text = decode(list(tokens[first : i + 1]))
        if _REPLACEMENT not in text or i + 1 == len(tokens):
            groups.append(Group(text, first, i + 1))
            first = i + 1
    return groups


def _spaced(characters: list[Group]) -> list[Group]:
    words: list[Group] = []
    for group in characters:
        alone = group.text.startswith(" ") or (group.text.strip() != "" and set(group.text.strip()) <= _AFTER)
        if words and not alone:
            words[-1] = _merged(words[-1], group)
        else:
            words.append(group)
    return words


def _with_following(words: list[Group]) -> list[Group]:
    """Closing punctuation goes to the word before it."""
    out: list[Group] = []
    for word in words:
        if out and not out[-1].text.endswith(" ") and word.text in _AFTER:
            out[-1] = _merged(out[-1], word)
        else:
            out.append(word)
    return out


def _with_preceding(words: list[Group]) -> list[Group]:
    """Opening punctuation goes to the word after it."""
    out: list[Group] = []
    for word in words:
        if out and out[-1].text.startswith(" ") and out[-1].text.strip() in _BEFORE and not word.text.startswith(" "):
            out[-1] = _merged(out[-1], word)
        else:
            out.append(word)
    return out


def _merged(a: Group, b: Group) -> Group:
    return Group(a.text + b.text, a.first, b.end)


def time_words(
    groups: Sequence[Group], token_starts: Sequence[float], probabilities: Sequence[float]
) -> list[TimedWord]:
    """Words with times. `token_starts` has one entry more than there are tokens: where the last one ends."""
    words = []
    for group in groups:
        likely = probabilities[group.first : group.end]
        mean = sum(likely) / len(likely)
        words.append(TimedWord(group.text, token_starts[group.first], token_starts[group.end], mean, group.first))
    return _plausible(words)


def _plausible(words: list[TimedWord]) -> list[TimedWord]:
    """Pauses between sentences end up in a word beside them: no such word lasts more than twice the median."""
    durations = [word.end - word.start for word in words if word.end > word.start]
    if not durations:
        return words
    longest = 2 * min(_LONGEST_MEDIAN, median(durations))
    out: list[TimedWord] = []
    for i, word in enumerate(words):
        long = word.end - word.start > longest
        if long and word.text[-1:] in _SENTENCE_END:
            out.append(replace(word, end=word.start + longest))
        elif long and (i == 0 or words[i - 1].text[-1:] in _SENTENCE_END):
            out.append(replace(word, start=word.end - longest))
        else:
            out.append(word)
    return out
