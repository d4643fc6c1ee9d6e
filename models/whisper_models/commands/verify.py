"""`whisper-models verify`: every byte against what was published."""

from __future__ import annotations

import argparse
import json
import sys

from whisper_models.arguments import add_quiet, add_store, names
from whisper_models.artifact import Manifest, Variant
from whisper_models.commands.report import say, warn
from whisper_models.errors import ChecksumMismatch, SourceMissing
from whisper_models.narration import narrated
from whisper_models.outcome import Exit
from whisper_models.progress import Progress, Stage
from whisper_models.store import UnifiedModelManager

NAME = "verify"
SAYS = "read every byte and compare it with the manifests; transcribes nothing (see validate)"
EXAMPLES = """\
  whisper-models verify
  whisper-models verify base small --json"""


def declare(command: argparse.ArgumentParser) -> None:
    """The options."""
    add_store(command)
    add_quiet(command)
    command.add_argument("models", nargs="*", metavar="MODEL", help="all that are there when absent")


def execute(arguments: argparse.Namespace) -> Exit:
    """Read everything once."""
    store, progress = UnifiedModelManager(arguments.root), Progress()
    manifests = present(store, names(arguments.models))
    sound = True
    for found in manifests:
        progress.begin(Stage.VERIFYING, found.size_bytes)
        with narrated(str(found.variant), progress, sys.stderr, quiet=arguments.json or arguments.quiet):
            damage = store.damage(found.variant, progress.advance)
        _tell(found.variant, damage, arguments)
        sound = sound and not damage
    return Exit.DONE if sound else Exit.FAILED


def present(store: UnifiedModelManager, wanted: list[str]) -> list[Manifest]:
    """What is there of these models, or of all.

    Raises:
        SourceMissing: there is nothing of one of them, or nothing at all.
    """
    manifests = [found for found in store.manifests() if not wanted or found.model in wanted]
    missing = set(wanted) - {found.model for found in manifests}
    if missing or not manifests:
        what = ", ".join(sorted(missing)) or "models"
        raise SourceMissing(f"{store.root} has no {what}: download it first, or name the right store with --root")
    return manifests


def _tell(variant: Variant, damage: list[str], arguments: argparse.Namespace) -> None:
    if arguments.json:
        row = {"model": variant.model, "format": variant.format, "precision": variant.precision}
        say(json.dumps({**row, "sound": not damage, "damage": damage}))
    elif not damage and not arguments.quiet:
        say(f"{variant}: sound")
    for problem in damage:
        warn(f"{ChecksumMismatch.__name__}: {problem}: make it again, which mends it")
