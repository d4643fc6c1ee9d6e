"""`whisper-models path`: where one variant is."""

from __future__ import annotations

import argparse

from whisper_models.arguments import add_root, add_variant, variant
from whisper_models.artifact import OFFERED, Format
from whisper_models.commands.report import say
from whisper_models.outcome import Exit
from whisper_models.store import UnifiedModelManager

NAME = "path"
SAYS = "print where a variant is: its folder, or a GGML file; later revisions go elsewhere"
EXAMPLES = """\
  whisper-models path base
  whisper-cli -m "$(whisper-models path base --format ggml)" -f clip.wav"""


def declare(command: argparse.ArgumentParser) -> None:
    """The options."""
    add_root(command)
    command.add_argument("model", metavar="MODEL", help="by name")
    add_variant(command, tuple(OFFERED), default=Format.ONNX)


def execute(arguments: argparse.Namespace) -> Exit:
    """Print it."""
    wanted = variant(arguments.model, arguments.format, arguments.precision, arguments.usage)
    store = UnifiedModelManager(arguments.root)
    say(str(store.file(wanted) if wanted.format is Format.GGML else store.path(wanted)))
    return Exit.DONE
