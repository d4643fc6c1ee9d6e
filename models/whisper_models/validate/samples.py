"""What validation listens to: the clip that comes with this package, then whatever clips somebody gives.

Needs no library, so that a command can refuse a folder before it loads any.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from whisper_models.clips import BUNDLED, Clip
from whisper_models.errors import UnusableSample
from whisper_models.store.files import sha256_of

MOST = 64
"""Clips of one run: each engine hears every one, and a manifest keeps both texts of each."""
_SPOKEN = re.compile(r"\.([a-z]{2,3})\.wav$")


def samples_in(folder: Path) -> tuple[Clip, ...]:
    """The bundled clip and the wav files of a folder, by name: `NAME.wav`, or `NAME.LANGUAGE.wav` as in `call.de.wav`.

    Raises:
        UnusableSample: no such folder, no wav file in it, or too many.
    """
    files = sorted(folder.glob("*.wav"))
    if not files or len(files) > MOST:
        raise UnusableSample(f"{folder} holds {len(files)} wav files: give a folder with 1 to {MOST}")
    return (*BUNDLED, *(Clip(file, _language(file.name)) for file in files))


def _language(name: str) -> str | None:
    spoken = _SPOKEN.search(name)
    return spoken[1] if spoken else None


def digest_of(samples: Iterable[Clip]) -> str:
    """Changes when what is heard changes: a clip, its name, its language, or their order."""
    rows = [(clip.name, clip.language, _digest(clip.path)) for clip in samples]
    return "sha256:" + hashlib.sha256(repr(rows).encode()).hexdigest()


def _digest(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        raise UnusableSample(f"{path} cannot be read ({error.strerror}): give a wav file") from error
