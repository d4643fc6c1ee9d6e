"""The parent's end of a contender: starts its process, asks it to transcribe, and ends it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

from benchmarks.peers import Setting

_QUIET = {"HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1", "PYTHONWARNINGS": "ignore"}


@dataclass(frozen=True, slots=True)
class Take:
    """One transcription; processor time and peak memory are of the process and its children."""

    seconds: float
    cpu_seconds: float
    text: str
    peak_mib: float


class ContenderError(RuntimeError):
    """A contender's process ended, with the last that it said."""


class Contender:
    """A peer in a process of its own; a context manager that ends the process."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self._said = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 - closed with the process, in __exit__
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", setting.to_json()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            env=os.environ | quiet(setting.threads),
        )
        self.load_seconds: float = self._read()["load_seconds"]

    def take(self, audio: Path, *, vad: bool = False, words: bool = False) -> Take:
        """Have it transcribe a file, as one 30 s window or, with `vad`, whatever length by its voice detection.

        Args:
            audio: mono, 16 kHz.
            vad: look for a voice first.
            words: find the times of words too, without `vad`.
        """
        stdin: IO[str] | None = self._process.stdin
        assert stdin is not None
        stdin.write(json.dumps({"audio": str(audio), "vad": vad, "words": words}) + "\n")
        stdin.flush()
        return Take(**self._read())

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._ended()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _ended(self) -> ContenderError:
        self._process.communicate()
        self._said.seek(0)
        last = " / ".join(self._said.read().strip().splitlines()[-3:])
        self._said.close()
        return ContenderError(f"{self.setting.module} ended with {self._process.returncode}: {last}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._said.closed:
            self._process.communicate()
            self._said.close()


def quiet(threads: int) -> dict[str, str]:
    """Variables of a measured process: no progress bars, and no thread more than it may have.

    numpy's own pool gets one thread for everybody: its spinning takes a core from whatever multiplies next.
    """
    pools = {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": "1"}
    return {**_QUIET, **pools}
