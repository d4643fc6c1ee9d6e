"""`whisper-models validate`: does a variant still say what the full weights say?"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from whisper_models.arguments import CONVERTED, add_job, add_models, add_quiet, add_store, add_variant, names
from whisper_models.artifact import Manifest
from whisper_models.commands.tasks import Task, run
from whisper_models.commands.verify import present
from whisper_models.errors import ChecksumMismatch, SourceMissing
from whisper_models.outcome import Exit, Outcome, Ready, validated
from whisper_models.progress import Progress, Stage
from whisper_models.store import UnifiedModelManager

NAME = "validate"
SAYS = "compare the bytes with the manifests, load each variant in its engine and hold its transcripts against FP32's"
THRESHOLD = 0.95
EXAMPLES = f"""\
  whisper-models validate --check-all
  whisper-models validate --models base,small --format openvino
  whisper-models validate --models base --samples ~/clips --threshold 0.98

The similarity is 1 - character error rate, after Whisper's normalisation, of what a variant and FP32 ONNX of the same
weights make of a clip; the least of all clips counts. It is written into the manifest and shown by `list`. Below the
threshold ({THRESHOLD} unless another is given) the exit code is 3, and no service serves the variant unless it is
told to. Checkpoints and auxiliary models have no such transcripts: their bytes are compared."""


def declare(command: argparse.ArgumentParser) -> None:
    """The options."""
    add_store(command)
    add_quiet(command)
    command.add_argument("--check-all", action="store_true", help="everything that is there")
    add_models(command, help="every variant of these that is there")
    add_variant(command, default=None, offered=CONVERTED)
    command.add_argument("--samples", type=Path, metavar="FOLDER", help="also hear the wav files in it")
    command.add_argument(
        "--threshold", type=_share, default=THRESHOLD, metavar="0…1", help="least similarity (default: %(default)s)"
    )
    add_job(command)


def execute(arguments: argparse.Namespace) -> Exit:
    """Validate each variant."""
    if arguments.check_all == bool(arguments.models):
        arguments.usage.error("say what to validate: --models NAME[,NAME…] or --check-all")
    store = UnifiedModelManager(arguments.root)
    found = [one for one in present(store, names(arguments.models)) if _asked_for(one, arguments)]
    if not found:
        raise SourceMissing(
            f"{store.root} has no such variant of {', '.join(names(arguments.models))}: convert it first"
        )
    return run(arguments, [Task(one.variant, partial(_outcome, store, one, arguments)) for one in found])


def _asked_for(found: Manifest, arguments: argparse.Namespace) -> bool:
    return arguments.format in (None, found.format) and arguments.precision in (None, found.precision)


def _outcome(store: UnifiedModelManager, found: Manifest, arguments: argparse.Namespace, progress: Progress) -> Outcome:
    place = store.location(found.variant)
    if found.format in CONVERTED:
        from whisper_models.validate import validate  # noqa: PLC0415 - no other command needs an engine

        return validated(validate(store, found.variant, arguments.samples, arguments.threshold, progress), place)
    progress.begin(Stage.VERIFYING, found.size_bytes)
    if problems := store.damage(found.variant, progress.advance):
        raise ChecksumMismatch(f"{problems[0]}: download {found.model} again, which mends it")
    return Ready.of(found, place)


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return share
