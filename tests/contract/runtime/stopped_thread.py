"""Stops one thread of a process and leaves the others running, as a debugger does: a thread that really hangs."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.waiting import wait_until

_CONT, _SEIZE, _INTERRUPT = 7, 0x4206, 0x4207
_WALL = 0x40000000  # waitpid: also for threads that are not the first of their process
_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
_LIBC.ptrace.restype = ctypes.c_long


def busiest_thread(pid: int) -> int:
    """The thread that has used the most processor time within the last moments."""
    before = _ticks(pid)

    def most() -> int | None:
        used = {thread: ticks - before.get(thread, 0) for thread, ticks in _ticks(pid).items()}
        thread = max(used, key=lambda one: used[one])
        return thread if used[thread] > 20 else None

    found = wait_until(most, within=30, every=0.02, what="a thread is at work")
    assert found is not None
    return found


def _ticks(pid: int) -> dict[int, int]:
    fields = {
        int(task.name): (task / "stat").read_text().rpartition(")")[2].split()
        for task in Path(f"/proc/{pid}/task").iterdir()
    }
    return {thread: int(values[11]) + int(values[12]) for thread, values in fields.items()}


@contextmanager
def stopped(thread: int, *, while_alive: Callable[[], bool]) -> Iterator[None]:
    """The thread stands still, at a moment when the rest of its process goes on: not while it holds Python's lock."""
    _ptrace(_SEIZE, thread)
    try:
        _interrupt(thread)
        while not while_alive():
            _ptrace(_CONT, thread)
            _interrupt(thread)
        yield
    finally:
        os.waitpid(thread, _WALL)  # its end; until then its process is not reaped either


def _interrupt(thread: int) -> None:
    _ptrace(_INTERRUPT, thread)
    os.waitpid(thread, _WALL)


def _ptrace(request: int, thread: int) -> None:
    if _LIBC.ptrace(request, thread, None, None):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
