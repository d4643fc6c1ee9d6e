"""`whisper-operator run|version`."""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version

from whisper_operator import config, logs
from whisper_operator.cluster.errors import NotLeader
from whisper_operator.operate import operate

log = logging.getLogger(__name__)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(prog="whisper-operator", description="Reconciles ModelSets and WhisperServices.")
    commands = found.add_subparsers(dest="command", required=True)
    run = commands.add_parser(
        "run", help="run the operator", description=f"Settings are variables that start with {config.PREFIX}."
    )
    run.add_argument("--namespace", action="append", metavar="NS", help="serve only this one; may be repeated")
    commands.add_parser("version", help="print the version")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """The console script."""
    given = parser().parse_args(arguments)
    if given.command == "version":
        print(version("whisper-operator"))
        return 0
    try:
        found = config.read(os.environ)
    except config.ConfigError as error:
        print(f"whisper-operator: {error}", file=sys.stderr)
        return 2
    if given.namespace:
        found = replace(found, namespaces=tuple(given.namespace))
    logs.configure(found.log_level)
    try:
        asyncio.run(operate(found))
    except NotLeader as error:
        log.error("ending", extra={"error": str(error)})  # noqa: TRY400  # where it was noticed says nothing more
        return 1
    return 0
