"""Running programs: to their end, or in the background such that they can always be found and ended again."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from tests.cluster.errors import CommandError, TimeoutExceededError

T = TypeVar("T")
LOG_TAIL = 2000


Runs = Callable[[], bool]
"""Whether a program that was launched still runs."""


class Launch(Protocol):
    """Starts a named program in the background; its output goes to a log of that name."""

    def __call__(self, name: str, command: Sequence[str]) -> Runs: ...


def run(command: Sequence[str], *, stdin: str | None = None, env: Mapping[str, str] | None = None) -> str:
    """The program's output; CommandError with what it printed where it fails."""
    try:
        done = subprocess.run(command, input=stdin, env=env, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise CommandError(
            f"{command[0]} is not installed; `python3 -m tests.cluster doctor` says how to get it"
        ) from error
    if done.returncode:
        printed = (done.stderr.strip() or done.stdout.strip())[-LOG_TAIL:]
        raise CommandError(f"`{' '.join(command)}` ended with {done.returncode}: {printed}")
    return done.stdout


def wait_until(
    see: Callable[[], T], *, within: float, what: str, log: Path | None = None, runs: Runs | None = None
) -> T:
    """Look until something true is seen, and return it.

    Args:
        see: looks once.
        within: seconds until this gives up.
        what: names the awaited fact.
        log: its end tells why the fact does not come true.
        runs: whether the program that is to make it true still runs; if not, this gives up at once.
    """
    deadline = time.monotonic() + within
    while not (seen := see()):
        if runs is not None and not runs():
            raise TimeoutExceededError(f"never, since the program ended: {what}{_end_of(log)}")
        if time.monotonic() > deadline:
            raise TimeoutExceededError(f"not within {within:.0f} s: {what}{_end_of(log)}")
        time.sleep(0.1)
    return seen


def _end_of(log: Path | None) -> str:
    if log is None or not log.exists():
        return ""
    return f"; {log} ends with:\n{log.read_text(errors='replace')[-LOG_TAIL:]}"


class Daemons:
    """Launches programs that outlive us, each a member of a cgroup: ending the cgroup ends them all."""

    def __init__(self, members: Path, logs: Path) -> None:
        """`members` is the cgroup's file that a process joins by writing its pid to it."""
        self._members = members
        self._logs = logs

    def __call__(self, name: str, command: Sequence[str]) -> Runs:
        pid = self._logs / f"{name}.pid"
        join = 'echo $$ >"$0" && echo $$ >"$1" && shift && exec "$@"'
        # forked off, so that the kernel's process 1 is its parent: no one here has to bury it
        joining = ["setsid", "--fork", "sh", "-c", join, str(self._members), str(pid), *command]
        with (self._logs / f"{name}.log").open("ab") as log:
            subprocess.run(joining, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", check=True)
        return lambda: not pid.exists() or Path("/proc", pid.read_text().strip()).exists()


class Children:
    """Launches programs that the kernel ends when we end, however that happens; `stop` ends them before."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: dict[str, tuple[subprocess.Popen[bytes], Sequence[str]]] = {}

    def __call__(self, name: str, command: Sequence[str]) -> Runs:
        # if we ended before the kernel knew what to do then, the program must not begin
        while_we_live = ["sh", "-c", '[ "$PPID" = "$0" ] && exec "$@"', str(os.getpid())]
        bound_to_us = ["setpriv", "--pdeathsig", "KILL", *while_we_live, *command]
        with (self._logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                bound_to_us, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._running[name] = process, command
        return lambda: process.poll() is None

    @contextmanager
    def without(self, name: str) -> Iterator[None]:
        """That program is killed, and begun again when the block ends."""
        process, command = self._running[name]
        process.kill()
        process.wait()
        try:
            yield
        finally:
            self(name, command)

    @contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        """That program does nothing until the block ends, but its connections stay."""
        process, _ = self._running[name]
        process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        processes = [process for process, _ in self._running.values()]
        for process in reversed(processes):
            process.kill()
        for process in processes:
            process.wait()
        self._running.clear()
