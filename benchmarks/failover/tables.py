"""From what callers saw to tables and metrics. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.report import Table
from benchmarks.rounds import quantile
from tests.e2e.faults.verdict import Ending, Kind, Observation

Seen = Mapping[str, Sequence[Observation]]
"""By the fault's name, one observation for each time that it was made."""


@dataclass(frozen=True, slots=True)
class Timings:
    """How the cluster was set up: the name begins its metrics."""

    name: str
    says: str


def table(timings: Timings, seen: Seen) -> Table:
    """A row for each fault."""
    columns = ("fault", "times", "requests", "lost", "of them cut", "first good p50 s", "p99 s", "longest request s")
    return Table(timings.says, columns, [_row(name, each) for name, each in seen.items()])


def _row(name: str, observations: Sequence[Observation]) -> tuple[str, ...]:
    requests = [request for seen in observations for request in seen.requests]
    lost = [request for seen in observations for request in seen.lost()]
    cut = [request for request in lost if request.ending is Ending.CUT]
    first = first_good(observations)
    longest = max(request.took for request in requests if request.kind is Kind.TRANSCRIPTION)
    counts = (len(observations), len(requests), len(lost), len(cut))
    seconds = (quantile(first, 0.5), quantile(first, 0.99), longest)
    return (name, *map(str, counts), *(f"{value:.2f}" for value in seconds))


def first_good(observations: Sequence[Observation]) -> list[float]:
    """Of every light caller, each time."""
    return [seconds for seen in observations for seconds in seen.first_good()]


def metrics(timings: Timings, seen: Seen) -> dict[str, float]:
    """`FAULT_first_good_p99_s` and `FAULT_lost`."""
    found: dict[str, float] = {}
    for name, observations in seen.items():
        fault = f"{timings.name}{name.replace('-', '_')}"
        found[f"{fault}_first_good_p99_s"] = quantile(first_good(observations), 0.99)
        found[f"{fault}_lost"] = sum(len(each.lost()) for each in observations)
    return found
