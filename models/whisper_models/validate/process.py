"""Runs `child` within bounds, and names what became of it."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from whisper_models.errors import ValidationFailed
from whisper_models.validate.windows import Waveform

_LAST_WORDS = 300
"""Characters of what a crashed engine printed last that a message repeats."""
_OFFLINE = {"HF_HUB_OFFLINE": "1", "ORT_DISABLE_TELEMETRY": "1"}
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one engine may take: generous, since they are there for what would never end."""

    seconds: float
    bytes: int

    @classmethod
    def of(cls, size: int, windows: int) -> Bounds:
        """For a variant of so many bytes that hears so many windows, on a slow processor that others use as well."""
        return cls(seconds=900 + size / 4e6 * (1 + windows), bytes=(2 << 30) + 8 * size)


@dataclass(frozen=True, slots=True)
class Work:
    """What to hear with what; `module` is one of the transcribers."""

    variant: str
    module: str
    path: Path
    windows: Sequence[Waveform]
    languages: Sequence[str | None]


def run(work: Work, bounds: Bounds) -> list[str]:
    """The text of each window.

    Raises:
        ValidationFailed: it crashed, hung, found no memory, or raised.
    """
    job = {
        "module": work.module,
        "path": str(work.path),
        "languages": list(work.languages),
        "parent": os.getpid(),
        "seconds": bounds.seconds,
        "bytes": bounds.bytes,
    }
    command = [sys.executable, "-m", "whisper_models.validate.child", json.dumps(job)]
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, env={**os.environ, **_OFFLINE, **_ONE_THREAD}, **pipes) as child:  # noqa: S603 - our own module
        try:
            out, printed = child.communicate(_packed(work.windows), timeout=bounds.seconds)
        except subprocess.TimeoutExpired as error:
            raise _failure(work, f"gave no answer within {bounds.seconds:.0f} s") from error
        finally:
            child.kill()
    return _texts(work, child.returncode, out, printed.decode(errors="replace"))


def _packed(windows: Sequence[Waveform]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{str(number): window for number, window in enumerate(windows)})
    return buffer.getvalue()


def _texts(work: Work, code: int, out: bytes, printed: str) -> list[str]:
    if code != 0 or not out:
        end = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        last = " ".join(printed.split())[-_LAST_WORDS:]
        raise _failure(work, f"{end}, having printed {last!r}")
    answer: dict[str, Any] = json.loads(out)
    if "error" in answer:
        raise _failure(work, f"did not transcribe: {answer['error']}")
    return [str(text).strip() for text in answer["texts"]]


def _failure(work: Work, what: str) -> ValidationFailed:
    engine = work.module.rpartition(".")[2]
    advice = "convert or download it again, and if that does not help report it as a defect"
    return ValidationFailed(f"{work.variant} in {work.path}: its engine ({engine}) {what}: {advice}")
