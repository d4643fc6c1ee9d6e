"""`whisper-models verify`: every byte against what was published."""

from __future__ import annotations

import argparse
from functools import partial

from whisper_models.arguments import add_job, add_names, add_quiet, add_store, add_variant, names
from whisper_models.artifact import OFFERED, Variant
from whisper_models.commands.tasks import Task, run
from whisper_models.errors import ChecksumMismatch, SourceMissing
from whisper_models.outcome import Exit, Failed, Ready
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
    add_names(command, help="all that are there when absent")
    add_variant(command, tuple(OFFERED))
    add_job(command)


def execute(arguments: argparse.Namespace) -> Exit:
    """Read everything once."""
    store, wanted = UnifiedModelManager(arguments.root), names([*arguments.named, *arguments.models])
    found, lost = chosen(store, wanted, arguments)
    return run(arguments, [Task(one, partial(_read, store, one)) for one in found], lost)


def chosen(
    store: UnifiedModelManager, wanted: list[str], arguments: argparse.Namespace
) -> tuple[list[Variant], list[Failed]]:
    """What is there of these models, or of all, in the format and precision that the options name.

    Beside it what was there and cannot be read any more, a failure each.

    Raises:
        SourceMissing: there was never anything of one of them.
    """
    form, precision = arguments.format, arguments.precision

    def fits(one: Variant) -> bool:
        return form in (None, one.format) and precision in (None, one.precision)

    found, unreadable = store.survey()
    lost = {one: sentence for one, sentence in unreadable.items() if fits(one)}
    there = [one.variant for one in found if fits(one.variant)]
    missing = sorted(set(wanted) - {one.model for one in (*there, *lost)})
    if missing or not (there or lost):
        what = " ".join(word for word in (", ".join(missing) or "model", form, precision) if word)
        raise SourceMissing(f"{store.root} has no {what}: download or convert it first, or name the store with --root")
    return (
        [one for one in there if not wanted or one.model in wanted],
        [_lost(one, sentence) for one, sentence in lost.items() if not wanted or one.model in wanted],
    )


def _read(store: UnifiedModelManager, variant: Variant, progress: Progress) -> Ready:
    manifest = store.manifest(variant)
    if manifest is None:
        raise SourceMissing(f"{variant} was taken away meanwhile")
    progress.begin(Stage.VERIFYING, manifest.size_bytes)
    if problems := store.damage(variant, progress.advance):
        raise ChecksumMismatch(f"{'; '.join(problems)}: make it again, which mends it")
    return Ready.of(manifest, store.location(variant))


def _lost(variant: Variant, sentence: str) -> Failed:
    return Failed.of(ChecksumMismatch(f"{sentence}: make it again, which mends it, or remove it"), variant)
