"""The command line: `build`, `list`, `prune`, `doctor`. Results on stdout, progress on stderr."""

import argparse
import json
import sys

from scripts.commands import CommandError
from scripts.image_build import requirements
from scripts.image_build.base import BaseImageError
from scripts.image_build.building import Built, build, listed, prune
from scripts.image_build.definitions import IMAGES, choose
from scripts.image_build.settings import Settings, read_settings
from scripts.image_build.tools import MissingToolError
from scripts.progress import Progress
from tests.cluster import doctor
from tests.cluster.errors import ClusterError


def main(arguments: list[str]) -> int:
    """Run one command; the answer is the exit status."""
    options = _parser().parse_args(arguments)
    progress = Progress()
    try:
        settings = read_settings()
        if options.command == "doctor":
            return _doctor(settings, install=options.install)
        if options.command == "prune":
            prune(settings, progress)
            return 0
        images = build(choose(options.names), settings, progress) if options.command == "build" else listed(settings)
    except (BaseImageError, ClusterError, CommandError, MissingToolError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(_as_json(images) if options.json else _as_lines(images))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/images.py", description="Build, list and prune the container images."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build", help="build those that changed")
    building.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(i.name for i in IMAGES)} (default: all)"
    )
    listing = commands.add_parser("list", help="those that are there in their present version")
    for command in (building, listing):
        command.add_argument("--json", action="store_true", help="for programs")
    commands.add_parser("prune", help="remove the archives of earlier versions")
    checking = commands.add_parser("doctor", help="say what this machine lacks for it")
    checking.add_argument("--install", action="store_true", help="apt-get install what Debian packages bring")
    return parser


def _doctor(settings: Settings, *, install: bool) -> int:
    found = list(requirements.findings(settings))
    if found and install:
        doctor.install(found)
        found = list(requirements.findings(settings))
    for finding in found:
        print(finding.says, file=sys.stderr)
    return 1 if found else 0


def _as_lines(images: list[Built]) -> str:
    return "\n".join(f"{image.name}={image.reference} {image.archive}" for image in images)


def _as_json(images: list[Built]) -> str:
    return json.dumps(
        [{"name": i.name, "ref": i.reference, "archive": str(i.archive), "built": i.built} for i in images], indent=2
    )
