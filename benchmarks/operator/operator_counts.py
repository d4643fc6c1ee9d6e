"""What the operator says about itself on /metrics, and when it has come to rest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass

from tests.integration.operator_process import OperatorProcess

SAMPLED = 0.25


@dataclass(frozen=True, slots=True)
class Counts:
    """Turns, writes and requests so far, and what waits for a worker now."""

    turns: float
    writes: float
    requests: float
    writes_by_kind: dict[str, float]
    waiting: float = 0

    def since(self, before: Counts) -> Counts:
        kinds = {kind: n - before.writes_by_kind.get(kind, 0) for kind, n in self.writes_by_kind.items()}
        return Counts(self.turns - before.turns, self.writes - before.writes, self.requests - before.requests, kinds)


async def counts(operator: OperatorProcess) -> Counts:
    """Ask the operator."""
    return parse((await asyncio.to_thread(operator.get, "/metrics"))[1].splitlines())


def parse(lines: Iterable[str]) -> Counts:
    """From Prometheus' text."""
    totals = {"reconciles": 0.0, "writes": 0.0, "api_requests": 0.0}
    kinds: dict[str, float] = {}
    waiting = 0.0
    for line in lines:
        if line.startswith("whisper_operator_queue_depth "):
            waiting = float(line.rpartition(" ")[2])
        for name in totals:
            if line.startswith(f"whisper_operator_{name}_total{{"):
                labels, _, value = line.rpartition(" ")
                totals[name] += float(value)
                if name == "writes":
                    kind = labels.split('kind="')[1].split('"')[0]
                    kinds[kind] = kinds.get(kind, 0) + float(value)
    return Counts(totals["reconciles"], totals["writes"], totals["api_requests"], kinds, waiting)


async def rested(operator: OperatorProcess, quiet: float, within: float, at_least: int = 0) -> float:
    """When it was last at work, once nothing was written or waited for so long, and so many turns at least were made.

    A turn that finds nothing to do is rest: the scheduler goes on telling of each pod that no node takes.
    """
    deadline = time.monotonic() + within
    writes, since = -1.0, time.monotonic()
    while True:
        found = await counts(operator)
        now = time.monotonic()
        if found.writes != writes or found.waiting or found.turns < at_least:
            writes, since = found.writes, now
        if now - since > quiet:
            return since
        if now > deadline:
            raise TimeoutError(f"not at rest within {within:g} s: {found}")
        await asyncio.sleep(SAMPLED)
