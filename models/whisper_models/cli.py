"""`whisper-models`: the same commands on a laptop and as Jobs in a cluster."""

from __future__ import annotations

import argparse
import atexit
import gc
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn, Protocol

from whisper_models.commands import convert, download, listing, optimize, path, remove, validate, verify
from whisper_models.commands.tasks import Stopped
from whisper_models.errors import ModelFailure, from_os_error
from whisper_models.outcome import Exit, Failed, as_json, leave

DESCRIPTION = "Download, convert, optimize, validate and list Whisper models in one store."
ENDS = """\
Results go to stdout (one line of JSON each with --json), progress and failures to stderr. Exit codes: 0 done,
1 failed (the reason is the first word on stderr), 2 wrong usage, 3 done but below the threshold of validation,
128 + n stopped by signal n. What is finished stays, and a download that was cut goes on where it was."""


class Command(Protocol):
    """What a module below `commands` is."""

    NAME: str
    SAYS: str
    EXAMPLES: str

    def declare(self, command: argparse.ArgumentParser) -> None:
        """Add its options."""

    def execute(self, arguments: argparse.Namespace) -> Exit:
        """Do it; `arguments.usage.error` ends the process with code 2."""


COMMANDS: Sequence[Command] = (download, convert, optimize, validate, verify, listing, path, remove)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    atexit.register(gc.freeze)  # a process that ends looks for no garbage: a quarter of what `list` takes
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _stop)
        return _run(arguments)
    except Stopped as stopped:
        print(stopped, file=sys.stderr)
        return stopped.exit_code
    except BrokenPipeError:  # whoever read stdout has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def parser() -> argparse.ArgumentParser:
    """Everything that can be asked."""
    whole = argparse.ArgumentParser(
        prog="whisper-models",
        description=DESCRIPTION,
        epilog=ENDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        one = commands.add_parser(
            command.NAME,
            help=command.SAYS,
            description=f"{command.SAYS[0].upper()}{command.SAYS[1:]}.",
            epilog=f"examples:\n{command.EXAMPLES}\n\n{ENDS}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.declare(one)
        one.set_defaults(execute=command.execute, usage=one)
    return whole


def _run(arguments: list[str] | None) -> int:
    asked = parser().parse_args(arguments)
    try:
        code: int = asked.execute(asked)
    except BrokenPipeError:
        raise
    except (ModelFailure, OSError) as error:
        failure = from_os_error(error, asked.root) if isinstance(error, OSError) else error
        return _failed(failure, asked)
    sys.stdout.flush()
    return code


def _failed(failure: ModelFailure, asked: argparse.Namespace) -> int:
    """Nothing could be begun, which a Job and a script are told like any other failure."""
    outcome = Failed.of(failure)
    if getattr(asked, "json", False):
        print(as_json(outcome), flush=True)
    print(f"{outcome.reason}: {outcome.message}", file=sys.stderr)
    leave(outcome, getattr(asked, "termination_log", None))
    return Exit.FAILED


def _stop(number: int, _frame: object) -> NoReturn:
    raise Stopped(number)


if __name__ == "__main__":
    sys.exit(main())
