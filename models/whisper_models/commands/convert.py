"""`whisper-models convert`: other formats of a model that was downloaded."""

from __future__ import annotations

import argparse

from whisper_models.arguments import (
    CONVERTED,
    DEFAULTS,
    add_job,
    add_models,
    add_quiet,
    add_store,
    add_variant,
    names,
    variant,
)
from whisper_models.artifact import OFFERED, Format, Variant
from whisper_models.commands.tasks import converting, run
from whisper_models.outcome import Exit
from whisper_models.store import UnifiedModelManager

NAME = "convert"
SAYS = "make other formats of models that were downloaded; needs no network"
EXAMPLES = f"""\
  whisper-models convert --model base --format openvino --precision int8
  whisper-models convert --model whisper-base --all-formats
  whisper-models convert --model tiny --all-formats --all-precisions

--all-formats makes each format in its default precision ({DEFAULTS}); with --all-precisions every variant there is."""


def declare(command: argparse.ArgumentParser) -> None:
    """The options."""
    add_store(command)
    add_quiet(command)
    add_models(command, required=True, help="that were downloaded before")
    add_variant(command, CONVERTED, default=Format.ONNX)
    command.add_argument("--all-formats", action="store_true", help="every format instead of one")
    command.add_argument("--all-precisions", action="store_true", help="every precision instead of one")
    add_job(command)


def execute(arguments: argparse.Namespace) -> Exit:
    """Make each variant of each model."""
    store = UnifiedModelManager(arguments.root)
    wanted = [made for name in names(arguments.models) for made in _variants(name, arguments)]
    return run(arguments, [converting(store, made) for made in wanted])


def _variants(name: str, arguments: argparse.Namespace) -> list[Variant]:
    if arguments.precision and (arguments.all_precisions or arguments.all_formats):
        arguments.usage.error("--precision names one variant: leave it out, or --all-formats and --all-precisions")
    chosen = CONVERTED if arguments.all_formats else (arguments.format,)
    if arguments.all_precisions:
        return [Variant(name, form, precision) for form in chosen for precision in OFFERED[form]]
    return [variant(name, form, arguments.precision, arguments.usage) for form in chosen]
