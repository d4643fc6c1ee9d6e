"""What an engine heard, as tests look at it."""

from __future__ import annotations

from dataclasses import dataclass

from whisper_runtime.engine import Transcript
from whisper_runtime.results import Word


@dataclass(frozen=True, slots=True)
class Heard:
    """A transcript, its text and its words."""

    transcript: Transcript

    @property
    def text(self) -> str:
        return "".join(segment.text for segment in self.transcript.segments).strip()

    @property
    def words(self) -> list[Word]:
        return [word for segment in self.transcript.segments for word in segment.words or ()]
