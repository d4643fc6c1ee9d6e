"""How alike two transcripts are: one less the character error rate, after Whisper's own normalisation.

Normalisation takes away what no listener would call another word: capitals, punctuation, "ten" against "10".
"""

from __future__ import annotations

import warnings

from whisper_models.character_errors import character_error_rate

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its docstrings, when Python compiles them for the first time
    from whisper_normalizer.basic import BasicTextNormalizer
    from whisper_normalizer.english import EnglishTextNormalizer

ENGLISH = "en"


def similarity(expected: str, heard: str, language: str | None) -> float:
    """From 0, nothing in common, to 1, the same words."""
    normal = EnglishTextNormalizer() if language == ENGLISH else BasicTextNormalizer()
    return max(0.0, 1.0 - character_error_rate(normal(expected).strip(), normal(heard).strip()))
