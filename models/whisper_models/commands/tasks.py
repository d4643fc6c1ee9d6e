"""One variant after another: told as it goes, one that fails does not keep the others from being made."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from whisper_models.artifact import Manifest, Variant
from whisper_models.commands.report import Report
from whisper_models.errors import Incomplete, ModelFailure, SourceMissing
from whisper_models.narration import narrated
from whisper_models.outcome import Exit, Failed, Outcome, Ready, exit_code, leave
from whisper_models.progress import Progress
from whisper_models.progress_server import serving
from whisper_models.store import UnifiedModelManager


class Stopped(BaseException):
    """A signal asked for the end; raised in the main thread, so that everything open is closed on the way."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"stopped by {signal.Signals(number).name}: what is finished stays and what was fetched is continued, "
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
    """The task to have `variant` in the store."""
    return Task(variant, lambda progress: Ready.of(make(progress), store.location(variant)), after)


def converting(store: UnifiedModelManager, variant: Variant, after: Variant | None = None) -> Task:
    """The task to make `variant` of the model's checkpoint."""

    def make(progress: Progress) -> Manifest:
        from whisper_models.convert.job import convert  # noqa: PLC0415 - a download alone needs no numpy

        return convert(store, variant, progress)

    return making(store, variant, make, after)


def run(arguments: argparse.Namespace, tasks: Sequence[Task]) -> Exit:
    """Do all tasks, tell how each ended, and leave the Job's last word: the first failure, else the last result."""
    report = Report(arguments, len(tasks))
    done: dict[Variant, Outcome] = {}
    progress = Progress()
    with serving(progress, arguments.progress_port):
        for number, task in enumerate(tasks, start=1):
            title = f"[{number}/{len(tasks)}] {task.variant}" if len(tasks) > 1 else str(task.variant)
            try:
                with narrated(title, progress, sys.stderr, quiet=arguments.json or arguments.quiet):
                    done[task.variant] = _outcome(task, done, progress)
            except Stopped as stopped:
                leave(Failed.of(Incomplete(str(stopped)), task.variant), arguments.termination_log)
                report.sum_up(done.values())
                raise
            report.tell(done[task.variant])
    report.sum_up(done.values())
    failures = [outcome for outcome in done.values() if isinstance(outcome, Failed)]
    leave(failures[0] if failures else list(done.values())[-1], arguments.termination_log)
    return exit_code(done.values())


def _outcome(task: Task, done: dict[Variant, Outcome], progress: Progress) -> Outcome:
    try:
        if task.after and isinstance(done.get(task.after), Failed):
            raise SourceMissing(f"{task.variant} was not tried, since {task.after} could not be had: mend that first")
        return task.work(progress)
    except ModelFailure as failure:
        return Failed.of(failure, task.variant)
