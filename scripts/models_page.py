"""The reference page of `whisper-models`, from what its parser takes and its outcomes hold."""

import argparse
import dataclasses
from collections.abc import Iterator

from whisper_models import cli, outcome

SOURCE = "models/whisper_models/commands/"
MEANINGS = {
    outcome.Exit.DONE: "everything that was asked for is there",
    outcome.Exit.FAILED: "something failed: the reason is the first word on stderr; the rest was done all the same",
    outcome.Exit.USAGE: "wrong usage: nothing was done",
    outcome.Exit.UNVERIFIED: "done, but a variant is below the threshold of validation",
}
OUTCOMES = (outcome.Ready, outcome.Unverified, outcome.Removed, outcome.Failed)
AS_JOBS = """\
## As Jobs

All commands but `list` and `path` take `--progress-port` and `--termination-log`; the operator runs them so, one
variant a Job, and people's own Jobs may. These options, the outcomes above and the exit codes are kept stable: keys and
options are added, none changes its meaning.

- `GET /progress` on the progress port answers `{"stage", "bytes_done", "bytes_total", "speed", "eta", "file"}` while it
  works; what is not known is null. Speed is in bytes a second, over the last ten seconds; `eta` in seconds.
- The termination log holds one outcome when it ends: what stopped it, else the first failure, else the last result.
- Running a command again is safe at any time: what is finished is looked at and left, what was begun goes on, and one
  writer at a time works on a variant, also across nodes.
"""


def page(header: str) -> str:
    """The whole page."""
    parser = cli.parser()
    lines = [header + "# whisper-models", "", cli.DESCRIPTION, "", *exits(), *outcomes(), AS_JOBS]
    for command in cli.COMMANDS:
        lines += section(command, subparser(parser, command.NAME))
    return "\n".join(lines).rstrip() + "\n"


def exits() -> list[str]:
    """The exit codes."""
    rows = [f"| {code:d} | {MEANINGS[code]} |" for code in outcome.Exit]
    stopped = "| 128 + n | stopped by signal n: what is finished stays, and a download goes on where it was |"
    return ["## Exit codes", "", "| code | meaning |", "|---|---|", *rows, stopped, ""]


def outcomes() -> list[str]:
    """What one line of `--json` holds."""
    says = "With `--json` each result is one line on stdout, where nothing else is. Its `outcome` is one of these:"
    rows = [
        f"| `{kind.outcome}` | {doc(kind)} | {', '.join(f'`{field.name}`' for field in dataclasses.fields(kind))} |"
        for kind in OUTCOMES
    ]
    return ["## Outcomes", "", says, "", "| outcome | meaning | keys |", "|---|---|---|", *rows, ""]


def doc(kind: type) -> str:
    """A class's sentence, on one line."""
    return " ".join((kind.__doc__ or "").split())


def subparser(parser: argparse.ArgumentParser, name: str) -> argparse.ArgumentParser:
    """The parser of one command."""
    commands = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))  # noqa: SLF001 - argparse has no other way to ask
    found: argparse.ArgumentParser = commands.choices[name]
    return found


def section(command: cli.Command, parser: argparse.ArgumentParser) -> list[str]:
    """One command: what it does, its options, examples."""
    rows = [f"| {words} | {' '.join(says.split())} |" for words, says in options(parser)]
    head = [f"## whisper-models {command.NAME}", "", parser.description or "", ""]
    table = ["| option | meaning |", "|---|---|", *rows, ""]
    return [*head, "```", *(line.strip() for line in examples(command)), "```", "", *table, *notes(command)]


def options(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    """Each option as it is written, and what it means."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to ask
        if isinstance(action, argparse._HelpAction):  # noqa: SLF001 - argparse has no other way to ask
            continue
        value = str(action.metavar or "|".join(action.choices or [action.dest.upper()]))
        value = {0: "", "+": f" {value}[,{value}...]", None: f" {value}"}.get(action.nargs, "")
        names = action.option_strings or [str(action.metavar)]
        written = ", ".join(f"`{name}{value if action.option_strings else ''}`" for name in names)
        must = "required; " if action.required and action.option_strings else ""
        says = str(action.help or "") % {"default": action.default}
        yield written.replace("|", "\\|"), must + says.replace("|", "\\|")


def examples(command: cli.Command) -> list[str]:
    """The lines that can be copied."""
    return command.EXAMPLES.split("\n\n")[0].splitlines()


def notes(command: cli.Command) -> list[str]:
    """What is to be known besides."""
    _, *rest = command.EXAMPLES.split("\n\n")
    return ["\n\n".join(rest), ""] if rest else []
