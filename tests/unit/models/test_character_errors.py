"""The character error rate is the one that everybody computes."""

import hypothesis.strategies as st
from hypothesis import given
from rapidfuzz.distance import Levenshtein
from whisper_models.character_errors import character_error_rate

TEXTS = st.text(alphabet="abc ü猫", max_size=12)


@given(expected=TEXTS, heard=TEXTS)
def test_it_is_levenshteins_distance_for_each_expected_character(expected: str, heard: str) -> None:
    wanted = Levenshtein.distance(expected, heard) / len(expected) if expected else float(bool(heard))
    assert character_error_rate(expected, heard) == wanted
