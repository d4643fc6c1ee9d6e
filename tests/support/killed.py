"""Kills a piece of work before any one of the changes that it makes on disk."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHANGES = frozenset({"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate"})


def until_change(root: Path, last: int, work: Callable[[], object]) -> None:
    """Do the work in this process, and be killed before change number `last` below `root`."""
    seen = 0

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if not _is_change(event, arguments, str(root)) or threading.current_thread() is not threading.main_thread():
            return  # the sign of life of a writer comes when it likes
        seen += 1
        if seen == last:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    work()


def _is_change(event: str, arguments: tuple[Any, ...], root: str) -> bool:
    if event == "open":
        path, mode, _ = arguments
        return str(path).startswith(root) and isinstance(mode, str) and any(one in mode for one in "wax+")
    if event in ("os.remove", "os.rmdir") and isinstance(arguments[-1], int) and arguments[-1] >= 0:
        return True  # relative to a folder that is open, as whole trees are removed
    return event in CHANGES and str(arguments[0]).startswith(root)
