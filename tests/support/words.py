"""Word errors after normalisation, and what is really said in the clips."""

from pathlib import Path

import jiwer
import soundfile
from whisper_normalizer.english import EnglishTextNormalizer
from whisper_runtime.engine import Waveform

AUDIO = Path(__file__).parent / "audio"
JFK = AUDIO / "jfk.wav"
JFK_WORDS = (
    "And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your country."
)
SAMPLE = AUDIO / "sample.wav"


def sample_words(begin: float = 0.0, end: float = 30.0) -> str:
    """The true words of sample.wav between two times in seconds: of its NIST STM file the last of six columns."""
    rows = [row.split(maxsplit=5) for row in (AUDIO / "sample.stm").read_text().splitlines() if row.strip()]
    return " ".join(words for *_, started, ended, words in rows if begin <= float(started) and float(ended) <= end)


def word_errors(truth: str, heard: str) -> int:
    """Substitutions, deletions and insertions between the two, after Whisper's English normalisation."""
    normal = EnglishTextNormalizer()
    counts = jiwer.process_words(normal(truth), normal(heard) or " ")
    return int(counts.substitutions + counts.deletions + counts.insertions)


def jfk() -> Waveform:
    """The clip as engines take it."""
    audio: Waveform = soundfile.read(JFK, dtype="float32")[0]
    return audio
