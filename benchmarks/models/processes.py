"""Commands as people type them, each in a process of its own: its seconds, its processor time and its peak memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LAUNCHER = Path(__file__).with_name("timed.py")
OURS = (sys.executable, "-m", "whisper_models.cli")
"""Our command; the rest of its arguments follow."""
QUIET = {
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "true",
}


class CommandFailedError(RuntimeError):
    """A command ended with another code than 0; with the last that it said."""


@dataclass(frozen=True, slots=True)
class Take:
    """One run of a command, or of several one after another."""

    seconds: float
    cpu_seconds: float
    peak_mib: float

    def then(self, other: Take) -> Take:
        """Both, one after the other."""
        peak = max(self.peak_mib, other.peak_mib)
        return Take(self.seconds + other.seconds, self.cpu_seconds + other.cpu_seconds, peak)


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Take:
    """Run a command to its end.

    Raises:
        CommandFailedError: it failed.
    """
    with tempfile.NamedTemporaryFile() as log:
        launcher = [sys.executable, "-I", "-S", str(LAUNCHER), log.name, *command]
        settings = {**os.environ, **QUIET, **(environment or {})}
        settings.pop("PYTHONDONTWRITEBYTECODE", None)  # a user's libraries are compiled once, not each time
        said = subprocess.run(launcher, env=settings, check=True, capture_output=True, text=True).stdout
        answer = json.loads(said)
        if answer["code"] != 0:
            last = Path(log.name).read_text(errors="replace")[-2000:]
            raise CommandFailedError(f"{' '.join(command)} ended with {answer['code']}: {last}")
    return Take(answer["seconds"], answer["cpu_seconds"], answer["peak_kib"] / 1024)
