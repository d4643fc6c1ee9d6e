"""Speech that comes with this package: validation records what a variant makes of it, a runtime compares with that."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Clip:
    """A file of speech and the language that is spoken in it; None where that is not known."""

    path: Path
    language: str | None

    @property
    def name(self) -> str:
        """What manifests call it."""
        return self.path.name


BUNDLED = (Clip(_FOLDER / "jfk.wav", "en"),)


def bundled(name: str) -> Clip | None:
    """The clip of that name that comes with this package."""
    return next((clip for clip in BUNDLED if clip.name == name), None)
