"""From tokens to words."""

import pytest
from whisper_runtime.decoding.attempt import Attempt, best
from whisper_runtime.decoding.words import group_words, time_words


def grouped(pieces: list[str], language: str = "en") -> list[str]:
    """Words of tokens that each decode to a piece; `�` parts decode only together."""
    data = [piece.encode("latin-1") if "Ã" in piece or "©" in piece else piece.encode() for piece in pieces]

    def decode(tokens: list[int]) -> str:
        return b"".join(data[token] for token in tokens).decode("utf-8", errors="replace")

    return [group.text for group in group_words(range(len(pieces)), decode, language)]


CASES = [
    ("pieces of a word are one", [" tran", "script", " it"], "en", [" transcript", " it"]),
    ("closing punctuation belongs to the word before", [" you", ",", " ask", "."], "en", [" you,", " ask."]),
    ("opening punctuation belongs to the word after", [" say", ' "', "yes", '"'], "en", [" say", ' "yes"']),
    ("a character of two tokens is whole", [" caf", "Ã", "©", " au"], "fr", [" café", " au"]),
    ("without spaces every character is a word", ["今", "日", "。", "は"], "ja", ["今", "日。", "は"]),
]


@pytest.mark.parametrize(("pieces", "language", "words"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_tokens_are_grouped(pieces: list[str], language: str, words: list[str]) -> None:
    assert grouped(pieces, language) == words


def test_a_word_lasts_from_its_first_token_to_the_next_words() -> None:
    groups = group_words([0, 1, 2], lambda tokens: "".join([" a", "b", " c"][t] for t in tokens), "en")
    words = time_words(groups, [0.1, 0.2, 0.4, 0.6], [0.5, 1.0, 0.8])
    assert [(w.text, w.start, w.end, w.probability) for w in words] == [(" ab", 0.1, 0.4, 0.75), (" c", 0.4, 0.6, 0.8)]


def test_a_pause_is_taken_out_of_the_words_beside_it() -> None:
    texts = [" So", " it", " ended.", " Then", " he", " went."]
    groups = group_words(range(6), lambda tokens: "".join(texts[t] for t in tokens), "en")
    words = time_words(groups, [0.0, 0.2, 0.4, 3.0, 9.0, 9.2, 9.4], [1.0] * 6)
    assert words[2].end - words[2].start < 0.5
    assert words[3].end == 9.0
    assert words[3].start > 8.5


def attempt(text: str, logprob: float, no_speech: float = 0.0) -> Attempt:
    return Attempt((1,), (logprob,), text, 0.0, no_speech)


LOOP = "you know, " * 30


def test_loops_and_guesses_are_tried_again_and_silence_is_not() -> None:
    assert attempt("Hello there.", -0.3).good
    assert not attempt(LOOP, -0.1).good
    assert not attempt("Hello there.", -1.2).good
    assert attempt("Hello there.", -1.2, no_speech=0.9).good
    assert attempt("Hello there.", -1.2, no_speech=0.9).silent


def test_of_bad_attempts_the_likeliest_that_does_not_loop_is_kept() -> None:
    loop, unsure, surer = attempt(LOOP, -0.1), attempt("a b", -2.0), attempt("a c", -1.5)
    assert best([loop, unsure, surer]) is surer
    assert best([loop]) is loop
