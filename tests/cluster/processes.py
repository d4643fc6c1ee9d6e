"""Running programs: to their end, or in the background such that they can always be found and ended again."""

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from tests.cluster.errors import CommandError, TimeoutExceededError

T = TypeVar("T")
LOG_TAIL = 2000


class Launch(Protocol):
    """Starts a named program in the background; its output goes to a log of that name."""

    def __call__(self, name: str, command: Sequence[str]) -> None: ...


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


def wait_until(see: Callable[[], T], *, within: float, what: str, log: Path | None = None) -> T:
    """Look until something true is seen, and return it; the end of `log` tells why where that never happens."""
    deadline = time.monotonic() + within
    while not (seen := see()):
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

    def __call__(self, name: str, command: Sequence[str]) -> None:
        # forked off, so that the kernel's process 1 is its parent: no one here has to bury it
        joining = ["setsid", "--fork", "sh", "-c", 'echo $$ >"$0" && exec "$@"', str(self._members), *command]
        with (self._logs / f"{name}.log").open("ab") as log:
            subprocess.run(joining, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", check=True)


class Children:
    """Launches programs that the kernel ends when we end, however that happens; `stop` ends them before."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: list[subprocess.Popen[bytes]] = []

    def __call__(self, name: str, command: Sequence[str]) -> None:
        bound_to_us = ["setpriv", "--pdeathsig", "KILL", *command]
        with (self._logs / f"{name}.log").open("ab") as log:
            self._running.append(
                subprocess.Popen(bound_to_us, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
            )

    def stop(self) -> None:
        for process in reversed(self._running):
            process.kill()
        for process in self._running:
            process.wait()
        self._running.clear()
