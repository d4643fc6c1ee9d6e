"""What `whisper-models` can be asked on a command line, and the one look at its environment."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from whisper_models.artifact import Format, Precision
from whisper_models.catalogue import CATALOGUE

if TYPE_CHECKING:
    Commands: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse names it nowhere else

EPILOG = """\
Results go to stdout (one line of JSON each with --json), progress and failures to stderr. Exit codes: 0 done,
1 failed (the reason is the first word on stderr), 2 wrong usage, 128 + n stopped by signal n; what a stopped download
has fetched is kept and continued by the next one."""


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command and its options; ends the process with code 2 on wrong usage."""
    parser = argparse.ArgumentParser(
        prog="whisper-models",
        description="Download, convert, list and verify Whisper models in one store.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_download(commands)
    _add_convert(commands)
    _command(commands, "list", "list the variants that are there")
    path = _command(commands, "path", "print the folder of a variant")
    path.add_argument("model")
    _add_variant(path, default_format=Format.ONNX)
    verify = _command(commands, "verify", "read every byte and compare it with the manifests")
    verify.add_argument("models", nargs="*", metavar="MODEL", help="all that are there when absent")
    return parser.parse_args(arguments)


def _add_download(commands: Commands) -> None:
    command = _command(commands, "download", "fetch checkpoints from a hub: resumed, verified, mended if damaged")
    names = ", ".join(CATALOGUE)
    command.add_argument("--models", action="append", required=True, metavar="NAME[,NAME…]", help=f"of {names}")
    command.add_argument("--repo", help="repository on the hub (organisation/name) of a model that has another one")
    command.add_argument("--revision", help="commit, tag or branch (default: the catalogue's pinned commit)")
    command.add_argument(
        "--endpoint", metavar="URL", help="address of the hub (default: $HF_ENDPOINT or the public hub)"
    )
    command.add_argument("--token-file", type=Path, metavar="FILE", help="file that holds an access token")
    command.set_defaults(usage=command.error)
    _add_job(command)


def _add_convert(commands: Commands) -> None:
    command = _command(commands, "convert", "make another format of a model that was downloaded; needs no network")
    command.add_argument("--model", required=True)
    _add_variant(command, default_format=Format.ONNX)
    _add_job(command)


def _command(commands: Commands, name: str, says: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=says, description=says[0].upper() + says[1:] + ".", epilog=EPILOG)
    root = Path(os.environ.get("WHISPER_MODELS", "models"))
    command.add_argument("--root", type=Path, default=root, help="the store ($WHISPER_MODELS, default: %(default)s)")
    command.add_argument("--json", action="store_true", help="one line of JSON for each result")
    return command


def _add_variant(command: argparse.ArgumentParser, default_format: Format) -> None:
    command.add_argument("--format", choices=[*Format], default=default_format, help="default: %(default)s")
    command.add_argument("--precision", choices=[*Precision], default=Precision.INT8, help="default: %(default)s")


def _add_job(command: argparse.ArgumentParser) -> None:
    job = command.add_argument_group("as a Job")
    job.add_argument("--progress-port", type=int, metavar="PORT", help="serve GET /progress there while it works")
    job.add_argument("--termination-log", type=Path, metavar="FILE", help="leave the outcome there as a line of JSON")
