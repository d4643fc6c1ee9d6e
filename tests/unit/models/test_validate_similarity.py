"""Similarity counts what a listener would call another word, and nothing else."""

import pytest
from whisper_models.validate.similarity import similarity


@pytest.mark.parametrize(
    ("expected", "heard", "language", "alike"),
    [
        ("Ask not, my fellow Americans!", "ask not my fellow americans", "en", 1.0),
        ("It's twenty dollars for the colour.", "it is $20 for the color", "en", 1.0),
        ("Fünf Äpfel.", "fünf äpfel", "de", 1.0),
        ("Fünf Äpfel.", "funf apfel", "de", 0.8),
        ("我爱你", "我爱他", "zh", 2 / 3),
        ("ask what you can do", "ask what you can do ask what you can do ask what you can do", "en", 0.0),
        ("", "", None, 1.0),
        ("", "thank you", None, 0.0),
        ("thank you", "", None, 0.0),
    ],
)
def test_similarity_of(expected: str, heard: str, language: str | None, alike: float) -> None:
    assert similarity(expected, heard, language) == pytest.approx(alike)
