"""Run other programs: their output kept, their failure an error that says what ran and how it ended."""

import shlex
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

TAIL_LINES = 25


class CommandError(Exception):
    """A program ended with an error, or could not be started."""

    def __init__(self, argv: Sequence[str], ended: str, output: str) -> None:
        self.output = output
        super().__init__(f"`{shlex.join(argv)}` {ended}" + (f"; its last words:\n{output}" if output else ""))


def output_of(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    timeout: float | None = None,
) -> str:
    """What the program prints; raises CommandError with its last words."""
    try:
        done = subprocess.run(  # noqa: PLW1510  the exit status is looked at below, with the output at hand
            list(argv),
            env=env,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
        )
    except FileNotFoundError as error:
        raise CommandError(argv, "is not installed", "") from error
    except subprocess.TimeoutExpired as error:
        raise CommandError(argv, f"did not end within {timeout:g} s", "") from error
    if done.returncode:
        raise CommandError(
            argv, f"ended with status {done.returncode}", _tail((done.stdout + done.stderr).splitlines())
        )
    return done.stdout


def stream(
    argv: Sequence[str],
    *,
    log: Path,
    on_line: Callable[[str], None],
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a long program: every line goes to the log and to `on_line`; raises CommandError with its last words."""
    recent: deque[str] = deque(maxlen=TAIL_LINES)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as kept:
        try:
            process = subprocess.Popen(
                list(argv),
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
        except FileNotFoundError as error:
            raise CommandError(argv, "is not installed", "") from error
        with process:
            for line in process.stdout or ():
                kept.write(line)
                recent.append(line.rstrip())
                on_line(line.rstrip())
    if process.returncode:
        raise CommandError(argv, f"ended with status {process.returncode} (all of it: {log})", _tail(list(recent)))


def _tail(lines: Sequence[str]) -> str:
    return "\n".join(f"    {line}" for line in lines[-TAIL_LINES:] if line.strip())
