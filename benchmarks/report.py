"""How every benchmark ends: a table for people, the same on its page in docs/benchmarks, and one line of JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benchmarks.machine import Machine

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
PAGES = Path(__file__).parents[1] / "docs" / "benchmarks"


@dataclass(frozen=True, slots=True)
class Table:
    """What was measured, as cells that are text already."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def text(self) -> str:
        """For a terminal: aligned columns, the first to the left and the others to the right."""
        lines = [self.columns, *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        shown = [
            "  ".join(cell.rjust(width) if i else cell.ljust(width) for i, (cell, width) in enumerate(pairs)).rstrip()
            for pairs in (list(zip(line, widths, strict=True)) for line in lines)
        ]
        return "\n".join([self.title, shown[0], "─" * len(max(shown, key=len)), *shown[1:]])

    def markdown(self) -> str:
        """For a page."""
        rule = ["---", *["--:"] * (len(self.columns) - 1)]
        return "\n".join(
            [f"### {self.title}", "", *(f"| {' | '.join(row)} |" for row in (self.columns, rule, *self.rows))]
        )


@dataclass(frozen=True, slots=True)
class Report:
    """One run of one benchmark."""

    bench: str
    machine: Machine
    day: date
    tables: Sequence[Table]
    metrics: Mapping[str, float]

    def text(self) -> str:
        """Everything that people read on a terminal."""
        return "\n\n".join([f"{self.machine}, {self.day.isoformat()}", *(table.text() for table in self.tables)])

    def markdown(self) -> str:
        """The measured part of the page."""
        return "\n\n".join(
            [f"Measured on {self.day.isoformat()}: {self.machine}.", *(t.markdown() for t in self.tables)]
        )

    def line(self) -> str:
        """The one line of JSON, the last of the output."""
        rounded = {name: round(value, 3) for name, value in self.metrics.items()}
        return json.dumps({"bench": self.bench, "metrics": rounded})


def command_line(bench: str, description: str | None) -> argparse.ArgumentParser:
    """The options that every benchmark has; each adds its own."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{bench}", description=description)
    parser.add_argument("--page", type=Path, default=PAGES / f"{bench}.md", help="where the tables are kept")
    parser.add_argument("--no-page", dest="page", action="store_const", const=None, help="only print them")
    return parser


def say(what: str) -> None:
    """Progress, beside the output."""
    print(f"… {what}", file=sys.stderr, flush=True)


def publish(report: Report, page: Path | None) -> None:
    """For people first, so that nothing that took an hour is lost; then on its page, and last the line of JSON."""
    print(report.text(), flush=True)
    if page:
        keep(report, page)
    print(report.line())


def keep(report: Report, page: Path) -> None:
    """Put the measured part on its page, in place of that of the run before; the prose around it stays."""
    text = page.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"{page} needs one line {BEGIN!r} and one {END!r}: what is measured goes between them")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    page.write_text(f"{before}{BEGIN}\n{report.markdown()}\n{END}{after}")
