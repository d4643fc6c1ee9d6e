"""`whisper-models path`: where one variant is."""

from __future__ import annotations

import argparse

from whisper_models.arguments import add_store, add_variant, variant
from whisper_models.artifact import OFFERED, Format
from whisper_models.commands.report import say
from whisper_models.errors import SourceMissing
from whisper_models.outcome import Exit, Ready, as_json
from whisper_models.store import UnifiedModelManager

NAME = "path"
SAYS = "print where a variant is: its folder, or what whisper.cpp opens; later revisions go elsewhere"
EXAMPLES = """\
  whisper-models path base
  whisper-cli -m "$(whisper-models path base --format ggml)" -f clip.wav
  whisper-models path base --json | jq -r '.path, .digest'

With --json the line is that of `list`, but its path is the whole one."""


def declare(command: argparse.ArgumentParser) -> None:
    """The options."""
    add_store(command)
    command.add_argument("model", metavar="MODEL", help="by name")
    add_variant(command, tuple(OFFERED), default=Format.ONNX)


def execute(arguments: argparse.Namespace) -> Exit:
    """Print it."""
    wanted = variant(arguments.model, arguments.format, arguments.precision, arguments.usage)
    store = UnifiedModelManager(arguments.root)
    place = str(store.file(wanted) if wanted.format.is_for_whisper_cpp else store.path(wanted))
    manifest = store.manifest(wanted)
    if manifest is None:
        raise SourceMissing(f"{wanted} was taken away meanwhile")
    say(as_json(Ready.of(manifest, place)) if arguments.json else place)
    return Exit.DONE
