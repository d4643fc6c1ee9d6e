"""One variant after another: told as it goes, one that fails does not keep the others from being made."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from whisper_models.artifact import Manifest, Variant
from whisper_models.commands.report import Report, warn
from whisper_models.errors import Incomplete, ModelFailure, SourceMissing, StorageFailure
from whisper_models.narration import narrated
from whisper_models.outcome import Exit, Failed, Outcome, Ready
from whisper_models.progress import Progress
from whisper_models.progress_server import serving
from whisper_models.store import UnifiedModelManager

SERVED_AT_MOST = 86_400.0
"""Seconds: by then whoever served an older revision was told of the new one, and reads that."""


class Stopped(BaseException):
    """A signal asked for the end; raised in the main thread, so that everything open is closed on the way."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"Stopped by {signal.Signals(number).name}: what is finished stays and what was fetched is continued, "
            "run the same command again"
        )
        self.exit_code = 128 + number


@dataclass(frozen=True, slots=True)
class Task:
    """One variant, and what is to become of it."""

    variant: Variant
    work: Callable[[Progress], Outcome]
    after: Variant | None = None
    """Another task's variant, without which this one cannot be made."""


def making(
    store: UnifiedModelManager, variant: Variant, make: Callable[[Progress], Manifest], after: Variant | None = None
) -> Task:
    """The task to have `variant` in the store, and no revision of it that nobody reads any more."""

    def work(progress: Progress) -> Ready:
        return finished(store, make(progress))

    return Task(variant, work, after)


def finished(
    store: UnifiedModelManager,
    manifest: Manifest,
    converted_because: str | None = None,
    taken_from: str | None = None,
) -> Ready:
    """The end of having a variant: no older revision of it stays that nobody reads any more."""
    try:
        store.prune(manifest.variant, SERVED_AT_MOST)
    except StorageFailure as failure:
        warn(f"older revisions of {manifest.variant} stay on disk: {failure.message}")
    return Ready.of(manifest, store.location(manifest.variant), converted_because, taken_from)


def converting(store: UnifiedModelManager, variant: Variant, after: Variant | None = None) -> Task:
    """The task to make `variant` of the model's checkpoint, which another task may bring."""
    return making(store, variant, partial(converted, store, variant), after)


def converted(store: UnifiedModelManager, variant: Variant, progress: Progress) -> Manifest:
    """Make `variant` of the model's checkpoint."""
    from whisper_models.convert.job import convert  # noqa: PLC0415 - a download alone needs no numpy

    return convert(store, variant, progress)


def run(arguments: argparse.Namespace, tasks: Sequence[Task], known: Sequence[Failed] = ()) -> Exit:
    """Do all tasks, tell how each ended, and leave the Job's last word: the first failure, else the last result.

    Args:
        arguments: the command's options.
        tasks: what is to be done.
        known: failures that were found before anything was done.
    """
    report, progress = Report(arguments, [task.variant for task in tasks], len(tasks) + len(known)), Progress()
    for failure in known:
        report.tell(failure)
    with _served(arguments, progress):
        for number, task in enumerate(tasks, start=1):
            title = f"[{number}/{len(tasks)}] {task.variant}" if len(tasks) > 1 else str(task.variant)
            try:
                with narrated(title, progress, sys.stderr, quiet=arguments.json or arguments.quiet):
                    outcome = _attempt(task, report, progress)
            except Stopped as stopped:
                report.close(Failed.of(Incomplete(str(stopped)), task.variant))
                raise
            report.tell(outcome)
    return report.close()


def _attempt(task: Task, report: Report, progress: Progress) -> Outcome:
    try:
        if task.after and task.after in report.failed:
            raise SourceMissing(f"{task.after}, which it is made from, could not be had: mend that first")
        return task.work(progress)
    except ModelFailure as failure:
        return Failed.of(failure, task.variant)


@contextmanager
def _served(arguments: argparse.Namespace, progress: Progress) -> Iterator[None]:
    with ExitStack() as open_for_now:
        try:
            open_for_now.enter_context(serving(progress, arguments.progress_port))
        except OSError as error:
            arguments.usage.error(
                f"argument --progress-port: {arguments.progress_port} cannot be had: {error.strerror}"
            )
        yield
