"""One writer per variant, on any volume.

File locks do nothing on many network volumes, while making a folder is atomic on all of them: who makes the folder
`.NAME+writer` may write. Its owner changes a number in it every few seconds. A waiter that has seen no change for a
while takes over; it compares with its own clock only, since those of two machines need not agree. Within one machine
a dead owner is seen at once.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OWNER = "owner.json"


@dataclass(frozen=True, slots=True)
class Patience:
    """In seconds."""

    beat: float = 5.0  # between two signs of life
    stale: float = 45.0  # without a sign of life before somebody else takes over
    poll: float = 1.0  # between two looks while waiting


@contextmanager
def sole_writer(folder: Path, done: Callable[[], bool], patience: Patience) -> Iterator[bool]:
    """Hold `folder` for the block; yields False when `done()` became true meanwhile, so nothing is left to write."""
    if not _acquire(folder, done, patience):
        yield False
        return
    stop = threading.Event()
    beating = threading.Thread(target=_beat, args=(folder, stop, patience.beat), daemon=True)
    beating.start()
    try:
        yield not done()  # it may have been finished between the look and the lock
    finally:
        stop.set()
        beating.join()
        shutil.rmtree(folder, ignore_errors=True)


class Silence:
    """How long an owner has given no sign of life, by the clock of whoever looks."""

    def __init__(self) -> None:
        self._seen: Any = None
        self._since = 0.0

    def lasted(self, owner: object, now: float) -> float:
        """Seconds since `owner` last said anything new."""
        if owner != self._seen or not self._since:
            self._seen, self._since = owner, now
        return now - self._since


def _acquire(folder: Path, done: Callable[[], bool], patience: Patience) -> bool:
    """True with the folder made by us, False once the work is done by another."""
    silence = Silence()
    while not done():
        try:
            folder.mkdir()
        except FileExistsError:
            owner = _read(folder)
            if silence.lasted(owner, time.monotonic()) > patience.stale or _died_here(owner):
                _clear(folder)
                silence = Silence()
            else:
                time.sleep(patience.poll)
        except FileNotFoundError:  # nothing was ever written here, or the last variant here was just removed
            folder.parent.mkdir(parents=True, exist_ok=True)
        else:
            return True
    return False


def _beat(folder: Path, stop: threading.Event, interval: float) -> None:
    count = 0
    while True:
        unfinished = folder / f".{OWNER}"
        with suppress(OSError):  # a volume in trouble is reported by whoever writes the variant
            unfinished.write_text(json.dumps({**_identity(), "beat": count}))
            unfinished.replace(folder / OWNER)
        count += 1
        if stop.wait(interval):
            return


def _read(folder: Path) -> dict[str, Any] | None:
    try:
        owner = json.loads((folder / OWNER).read_text())
    except (OSError, ValueError):
        return None
    return owner if isinstance(owner, dict) else None


def _clear(folder: Path) -> None:
    """Take the folder away in one step, so that of several waiters only one succeeds."""
    aside = folder.with_name(f"{folder.name}-{uuid.uuid4().hex[:8]}")
    with suppress(FileNotFoundError):
        folder.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)


def _identity() -> dict[str, Any]:
    return {"host": os.uname().nodename, "namespace": _process_namespace(), "pid": os.getpid()}


def _process_namespace() -> str:
    """Process numbers mean something within one of these only; two containers are two."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _died_here(owner: dict[str, Any] | None) -> bool:
    mine = _identity()
    if owner is None or (owner.get("host"), owner.get("namespace")) != (mine["host"], mine["namespace"]):
        return False
    try:
        os.kill(int(owner["pid"]), 0)
    except ProcessLookupError:
        return True
    except (OSError, KeyError, TypeError, ValueError):
        return False
    return False
