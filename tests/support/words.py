"""Word errors after normalisation, and what is really said in the clips."""

from pathlib import Path

import jiwer
from whisper_normalizer.english import EnglishTextNormalizer

AUDIO = Path(__file__).parent / "audio"
JFK = AUDIO / "jfk.wav"
JFK_WORDS = (
    "And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your country."
)
SAMPLE = AUDIO / "sample.wav"


def sample_words() -> str:
    """The true words of sample.wav: the sixth column of its NIST STM file."""
    rows = (AUDIO / "sample.stm").read_text().splitlines()
    return " ".join(row.split(maxsplit=5)[5] for row in rows if row.strip())


def word_errors(truth: str, heard: str) -> int:
    """Substitutions, deletions and insertions between the two, after Whisper's English normalisation."""
    normal = EnglishTextNormalizer()
    counts = jiwer.process_words(normal(truth), normal(heard) or " ")
    return int(counts.substitutions + counts.deletions + counts.insertions)
