"""`whisper-models validate`: does a variant still say what the full weights say?"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from whisper_models.arguments import add_job, add_models, add_quiet, add_store, add_variant, names
from whisper_models.artifact import OFFERED, THRESHOLD, Variant
from whisper_models.commands.tasks import Task, run
from whisper_models.commands.verify import chosen
from whisper_models.outcome import Exit, Outcome, validated
from whisper_models.progress import Progress
from whisper_models.store import UnifiedModelManager

NAME = "validate"
SAYS = "compare the bytes with the manifests, load each variant in its engine and hold its transcripts against FP32's"
EXAMPLES = f"""\
  whisper-models validate --check-all
  whisper-models validate --models base,small --format openvino
  whisper-models validate --models base --samples ~/clips --threshold 0.98

The similarity is 1 - character error rate, after Whisper's normalisation, of what a variant and FP32 ONNX of the same
weights make of a clip; the least of all clips counts. It is written into the manifest and shown by `list`. Below the
threshold ({THRESHOLD} unless another is given) the exit code is 3, and no service serves the variant unless it is
told to. Checkpoints, auxiliary models and CoreML's encoder have nothing to be held against: their bytes must be those
of their manifests. A checkpoint's configuration and list of weights are read besides, and the .onnx and .safetensors
files of an auxiliary model are opened; no other file of those is."""


def declare(command: argparse.ArgumentParser) -> None:
    """The options."""
    add_store(command)
    add_quiet(command)
    command.add_argument("--check-all", action="store_true", help="everything that is there")
    add_models(command, help="every variant of these that is there")
    add_variant(command, tuple(OFFERED))
    command.add_argument("--samples", type=Path, metavar="FOLDER", help="also hear the wav files in it")
    command.add_argument(
        "--threshold", type=_share, default=THRESHOLD, metavar="0-1", help="least similarity (default: %(default)s)"
    )
    add_job(command)


def execute(arguments: argparse.Namespace) -> Exit:
    """Validate each variant."""
    if arguments.check_all == bool(arguments.models):
        arguments.usage.error("say what to validate: --models NAME[,NAME...] or --check-all")
    store = UnifiedModelManager(arguments.root)
    found, lost = chosen(store, names(arguments.models), arguments)
    return run(arguments, [Task(one, partial(_outcome, store, one, arguments)) for one in found], lost)


def _outcome(store: UnifiedModelManager, found: Variant, arguments: argparse.Namespace, progress: Progress) -> Outcome:
    from whisper_models.validate import validate  # noqa: PLC0415 - no other command needs an engine

    manifest = validate(store, found, arguments.samples, arguments.threshold, progress)
    return validated(manifest, store.location(found))


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return share
