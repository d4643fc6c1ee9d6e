"""The end of a process: what it leaves for the kubelet to report, and leaving with threads that cannot be joined."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import NoReturn

_LOG = logging.getLogger(__name__)
_LONGEST = 2000
"""Characters: Kubernetes keeps 4096 bytes."""


def leave_word(file: Path, reason: str) -> None:
    """Say in one line why this process ends, where the kubelet put a file for it; elsewhere there is none."""
    if not file.exists():
        return
    try:
        file.write_text(" ".join(reason.split())[:_LONGEST] + "\n")
    except OSError:
        _LOG.warning("the reason could not be left in %s", file, exc_info=True)


def leave(status: int) -> NoReturn:
    """End now. Python would first join every thread, and one that hangs in a library never ends."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
