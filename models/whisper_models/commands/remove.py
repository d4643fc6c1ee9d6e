"""`whisper-models remove`: variants no longer needed."""

from __future__ import annotations

import argparse
import sys

from whisper_models.arguments import add_job, add_names, add_quiet, add_store, add_variant, names, variant
from whisper_models.artifact import OFFERED, Format, Precision, Variant
from whisper_models.commands.report import size, warn
from whisper_models.commands.tasks import Task, run
from whisper_models.errors import SourceMissing
from whisper_models.outcome import Exit, Removed
from whisper_models.progress import Progress
from whisper_models.store import UnifiedModelManager

NAME = "remove"
SAYS = "take variants away, with their older revisions and what is unfinished; asks first on a terminal"
EXAMPLES = """\
  whisper-models remove base --format onnx --precision fp32
  whisper-models remove base --format ggml
  whisper-models remove base --all-formats --yes
  whisper-models remove vad/silero

Whoever has a removed file open keeps it. A variant named in full that is not there is no failure: so a Job that was
stopped after its work ends well when it runs again."""


def declare(command: argparse.ArgumentParser) -> None:
    """The options."""
    add_store(command)
    add_quiet(command)
    add_names(command, help="by name")
    add_variant(command, tuple(OFFERED))
    command.add_argument("--all-formats", action="store_true", help="everything of the model, its checkpoint too")
    command.add_argument("--yes", action="store_true", help="do not ask, as where stdin is no terminal")
    add_job(command)


def execute(arguments: argparse.Namespace) -> Exit:
    """Take away what was named, once it is confirmed."""
    store, models = UnifiedModelManager(arguments.root), names([*arguments.named, *arguments.models])
    if not models:
        arguments.usage.error("say which model to remove")
    wanted = [variant for model in models for variant in _wanted(store, model, arguments)]
    if not _confirmed(store, wanted, arguments):
        warn("Nothing was removed.")
        return Exit.FAILED
    return run(arguments, [_removing(store, variant) for variant in wanted])


def _wanted(store: UnifiedModelManager, model: str, arguments: argparse.Namespace) -> list[Variant]:
    """What is there of what the words mean; a variant named in full also if it is not.

    Raises:
        SourceMissing: there is nothing of it.
    """
    named = _named(model, arguments)
    found = named if len(named) == 1 else [variant for variant in named if store.holds(variant)]
    if not found:
        raise SourceMissing(f"{store.root} has nothing of {model} that could be removed: see `whisper-models list`")
    return found


def _named(model: str, arguments: argparse.Namespace) -> list[Variant]:
    form, precision = arguments.format, arguments.precision
    if "/" in model:
        return [Variant(model, Format.AUXILIARY, Precision.STORED)]
    if bool(form) == arguments.all_formats:
        arguments.usage.error("say what to remove: --format FORMAT [--precision PRECISION], or --all-formats")
    if precision:
        return [variant(model, form, precision, arguments.usage)]
    chosen = [form] if form else [one for one in OFFERED if one is not Format.AUXILIARY]
    return [Variant(model, one, precision) for one in chosen for precision in OFFERED[one]]


def _confirmed(store: UnifiedModelManager, wanted: list[Variant], arguments: argparse.Namespace) -> bool:
    if arguments.yes or not sys.stdin.isatty():
        return True
    total = sum(manifest.size_bytes for manifest in map(store.manifest, wanted) if manifest)
    warn(f"This removes {', '.join(map(str, wanted))} ({size(total)}) from {arguments.root}. Go on? [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _removing(store: UnifiedModelManager, variant: Variant) -> Task:
    def work(_progress: Progress) -> Removed:
        return Removed(variant.model, variant.format, variant.precision, store.remove(variant))

    return Task(variant, work)
