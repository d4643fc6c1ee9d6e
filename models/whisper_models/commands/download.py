"""`whisper-models download`: checkpoints from a source, and what is to be made of them."""

from __future__ import annotations

import argparse
from functools import partial

from whisper_models.arguments import (
    ALL,
    CONVERTED,
    DEFAULTS,
    add_job,
    add_models,
    add_quiet,
    add_store,
    default,
    formats,
    names,
)
from whisper_models.artifact import Manifest, Variant
from whisper_models.catalogue import CATALOGUE
from whisper_models.commands.source import add_source, source_of
from whisper_models.commands.tasks import Task, converting, making, run
from whisper_models.outcome import Exit
from whisper_models.progress import Progress
from whisper_models.store import UnifiedModelManager

NAME = "download"
SAYS = "fetch checkpoints: resumed, verified, mended if damaged; with --formats, made into those too"
EXAMPLES = f"""\
  whisper-models download --models base,small
  whisper-models download --models base --formats openvino,ggml
  whisper-models download --all --root /srv/models
  whisper-models download --models our-dialect --repo our-team/whisper-dialect --revision main --token-file ~/token

With --formats each model is then taken in that format from the source, where it has it, else converted:
{DEFAULTS}. `convert` makes the other precisions."""


def declare(command: argparse.ArgumentParser) -> None:
    """The options."""
    add_store(command)
    add_quiet(command)
    command.add_argument("--all", action="store_true", help="every model of the catalogue (see `list --catalogue`)")
    add_models(command, help="of the catalogue, or others with a source of their own")
    command.add_argument(
        "--formats",
        action="extend",
        nargs="+",
        default=[],
        metavar="FORMAT[,FORMAT...]",
        help=f"also make these, in their default precisions: {', '.join(CONVERTED)} or {ALL}",
    )
    add_source(command)
    add_job(command)


def execute(arguments: argparse.Namespace) -> Exit:
    """Fetch each model, then make its formats."""
    store, wanted = UnifiedModelManager(arguments.root), formats(arguments.formats, arguments.usage)
    tasks: list[Task] = []
    for name in _models(arguments):
        base = Variant.base(name)
        tasks.append(making(store, base, partial(_fetch, store, name, arguments)))
        tasks += [converting(store, default(name, form), after=base) for form in wanted]
    return run(arguments, tasks)


def _models(arguments: argparse.Namespace) -> list[str]:
    given = names(arguments.models)
    if arguments.all == bool(given):
        arguments.usage.error("say which models: --models NAME[,NAME...] or --all")
    if arguments.repo and len(given) != 1:
        arguments.usage.error("--repo names the repository of one model: give exactly one with --models")
    return list(CATALOGUE) if arguments.all else given


def _fetch(store: UnifiedModelManager, name: str, arguments: argparse.Namespace, progress: Progress) -> Manifest:
    from whisper_models.download import download  # noqa: PLC0415 - no other command needs an HTTP client

    return download(store, name, source_of(name, arguments), progress)
