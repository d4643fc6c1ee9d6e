"""`whisper-models optimize`: the variants that a runtime is best served with."""

from __future__ import annotations

import argparse
from functools import partial

from whisper_models.arguments import add_job, add_models, add_quiet, add_store, names
from whisper_models.artifact import Variant
from whisper_models.commands.report import warn
from whisper_models.commands.tasks import Task, run
from whisper_models.optimize import targets
from whisper_models.optimize.targets import TARGETS, Choice, Target
from whisper_models.outcome import Exit, Outcome, validated
from whisper_models.progress import Progress
from whisper_models.store import UnifiedModelManager

NAME = "optimize"
SAYS = "make and validate what a target is best served with; says what it cannot do here"


def _table() -> str:
    return "\n".join(f"- {name}: {', '.join(map(_told, target.choices))}" for name, target in TARGETS.items())


def _told(choice: Choice) -> str:
    return f"{choice} (on macOS)" if choice.only_on else str(choice)


EXAMPLES = f"""\
  whisper-models optimize --target npu --models base,small
  whisper-models optimize --target mac --models large-v3-turbo

A target is one of the runtimes, and these are the variants that each prefers:

{_table()}"""


def declare(command: argparse.ArgumentParser) -> None:
    """The options."""
    add_store(command)
    add_quiet(command)
    command.add_argument("--target", choices=[*TARGETS], required=True, help="the runtime to optimize for")
    add_models(command, required=True, help="that were downloaded before")
    add_job(command)


def execute(arguments: argparse.Namespace) -> Exit:
    """Make each of the target's variants, and say what is left out."""
    store, target = UnifiedModelManager(arguments.root), TARGETS[arguments.target]
    wanted = [made for name in names(arguments.models) for made in target.variants(name, targets.PLATFORM)]
    if not arguments.quiet:
        _explain(target)
    return run(arguments, [Task(one, partial(_outcome, store, one)) for one in wanted])


def _outcome(store: UnifiedModelManager, wanted: Variant, progress: Progress) -> Outcome:
    from whisper_models.optimize.job import make  # noqa: PLC0415 - to say what can be made needs no numpy

    return validated(make(store, wanted, progress), store.location(wanted))


def _explain(target: Target) -> None:
    for choice in target.made_on(targets.PLATFORM):
        warn(f"{choice}: {choice.why}")
    for sentence in target.cannot_on(targets.PLATFORM):
        warn(f"Not here: {sentence}")
