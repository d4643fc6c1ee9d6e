"""What people and scripts read of the results: stdout has the results, stderr whatever went wrong."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from whisper_models.artifact import Variant
from whisper_models.outcome import Exit, Failed, Outcome, Ready, Removed, Unverified, as_json, exit_code, leave

KILO = 1000


def say(line: str) -> None:
    """One line of result."""
    print(line, flush=True)  # noqa: T201 - what a command says, it prints


def warn(line: str) -> None:
    """One line that is no result: what went wrong, or is good to know."""
    print(line, file=sys.stderr)  # noqa: T201 - what a command says, it prints


def size(count: float) -> str:
    """`41 MB`, `1.6 GB`."""
    for unit in ("B", "kB", "MB"):
        if round(count) < KILO:
            return f"{count:.0f} {unit}"
        count /= KILO
    return f"{count:.1f} GB"


def table(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """Rows as lines with aligned columns; those in `right` are aligned at their end, as figures are."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]

    def aligned(row: Sequence[str]) -> str:
        cells = (
            cell.rjust(width) if at in right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return "  ".join(cells).rstrip()

    return [aligned(row) for row in rows]


class Report:
    """Collects one command's outcomes and tells them as its options want it."""

    def __init__(self, arguments: argparse.Namespace, wanted: Collection[Variant], expected: int) -> None:
        self._root: Path = arguments.root
        self._json: bool = arguments.json
        self._quiet: bool = arguments.quiet
        self._log: Path | None = arguments.termination_log
        self._width = max((len(str(variant)) for variant in wanted), default=0)
        self._expected = expected
        self._outcomes: list[Outcome] = []

    @property
    def failed(self) -> set[Variant]:
        """The variants that did not come about."""
        return {
            Variant(one.model, one.format, one.precision)
            for one in self._outcomes
            if isinstance(one, Failed) and one.model and one.format and one.precision
        }

    def tell(self, outcome: Outcome) -> None:
        """One outcome, as soon as it is there."""
        self._outcomes.append(outcome)
        if self._json:
            say(as_json(outcome))
        elif not self._quiet and isinstance(outcome, Ready | Removed):
            say(self._line(outcome))
        if isinstance(outcome, Failed | Unverified):
            told = f"{_named(outcome)}, see below" if self._sums_up else outcome.message
            warn(f"{_cause(outcome)}: {told}")

    def close(self, last_word: Failed | None = None) -> Exit:
        """Sum up, and leave the Job's last word: what stopped it, else the first failure, else the last result."""
        if self._sums_up:
            for line in _summary(self._outcomes, self._expected, self._root):
                warn(line)
        failures = [outcome for outcome in self._outcomes if isinstance(outcome, Failed)]
        leave(last_word or (failures[0] if failures else self._outcomes[-1]), self._log)
        return exit_code(self._outcomes)

    @property
    def _sums_up(self) -> bool:
        return self._expected > 1 and not self._json and not self._quiet

    def _line(self, outcome: Ready | Removed) -> str:
        variant = f"{Variant(outcome.model, outcome.format, outcome.precision)!s:<{self._width}}"
        if isinstance(outcome, Removed):
            freed = f"removed, {size(outcome.freed_bytes)} freed" if outcome.freed_bytes else "was not there"
            return f"{variant}  {freed}"
        similarity = "" if outcome.similarity is None else f"  similarity {outcome.similarity:.3f}"
        return f"{variant}  {size(outcome.size_bytes):>7}{similarity}  {self._root / outcome.path}"


def _cause(outcome: Failed | Unverified) -> str:
    """The reason, as conditions name it."""
    return outcome.reason if isinstance(outcome, Failed) else outcome.outcome


def _summary(outcomes: Collection[Outcome], expected: int, root: Path) -> list[str]:
    failed = [outcome for outcome in outcomes if isinstance(outcome, Failed)]
    unverified = [outcome for outcome in outcomes if isinstance(outcome, Unverified)]
    counts = [f"{len(outcomes) - len(failed) - len(unverified)} of {expected} done in {root}"]
    counts += [f"{len(failed)} failed"] if failed else []
    counts += [f"{len(unverified)} below the threshold"] if unverified else []
    counts += [f"{expected - len(outcomes)} not tried"] if len(outcomes) < expected else []
    lines = ["", ", ".join(counts) + (":" if failed or unverified else ".")]
    troubles: list[Failed | Unverified] = [*failed, *unverified]
    lines += [f"  {_named(one)}: {_cause(one)}: {one.message}" for one in troubles]
    if any(one.retryable for one in failed):
        lines.append("Run the same command again after that: what is done is not done twice.")
    return lines


def _named(outcome: Failed | Unverified) -> str:
    return " ".join(word for word in (outcome.model, outcome.format, outcome.precision) if word) or "the store"
