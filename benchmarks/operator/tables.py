"""What was measured, as tables and as the metrics that the benchmark is judged by."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.operator.processes import BENCH, CONTROL_PLANE, OURS
from benchmarks.operator.stages import Stage
from benchmarks.operator.world import World
from benchmarks.report import Table
from benchmarks.rounds import quantile

PEERS = (
    ("Flux, 1,000 Kustomizations, 16 cores", "256", "3.9"),
    ("KubeRay, 1,000 clusters", "258", "3.9"),
    ("cert-manager, 500 certificates", "417", "1.2"),
)
"""Published by others, about their own programs on their own machines: seconds, and resources a second."""


@dataclass(slots=True)
class Measured:
    """Everything that one run found.

    Attributes:
        memory: the largest resident size of each process of the operator, in MiB.
        written: objects that the operator wrote to while at rest, as the API server notes it.
    """

    load: float
    load_after: float = 0
    written: int = 0
    stages: dict[str, Stage] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)


def metrics(found: Measured, world: World) -> dict[str, float]:
    """As the goals name them."""
    created, rest = found.stages["create"], found.stages["rest"]
    writes = created.counts.writes + found.stages["settle"].counts.writes
    return {
        "services_per_second": world.services / created.seconds,
        "restart_to_quiet_s": found.stages["restart"].seconds,
        "rss_mib": max(found.memory.values()),
        "writes_per_service": writes / world.services,
        "writes_at_rest_per_minute": max(rest.counts.writes, found.written) / rest.seconds * 60,
        "change_to_child_p99_s": quantile(found.stages["changes"].latencies, 0.99),
    }


def tables(found: Measured, world: World) -> list[Table]:
    """For people."""
    return [_stages(found), _shares(found), _writes(found, world), _changes(found), _peers(found, world)]


def _stages(found: Measured) -> Table:
    rows = [
        [
            name,
            f"{one.seconds:.1f}",
            f"{one.counts.turns:.0f}",
            f"{one.counts.requests:.0f}",
            f"{one.counts.writes:.0f}",
        ]
        for name, one in found.stages.items()
    ]
    load = f"load average {found.load:.1f} before, {found.load_after:.1f} after"
    peak = f"peak memory {max(found.memory.values()):.0f} MiB"
    return Table(f"Stages ({load}; {peak})", ["stage", "seconds", "turns", "requests", "writes"], rows)


def _shares(found: Measured) -> Table:
    names = (OURS, *CONTROL_PLANE, BENCH)
    rows = [[stage, *(f"{one.cpu[name]:.1f}" for name in names)] for stage, one in found.stages.items()]
    return Table("Seconds of processor time", ["stage", *names], rows)


def _writes(found: Measured, world: World) -> Table:
    stages = ("create", "settle", "changes")
    kinds = sorted({kind for name in stages for kind in found.stages[name].counts.writes_by_kind})
    number = {"create": world.services, "settle": world.services, "changes": len(found.stages["changes"].latencies)}
    rows = [
        [kind, *(f"{found.stages[one].counts.writes_by_kind.get(kind, 0) / number[one]:.2f}" for one in stages)]
        for kind in kinds
    ]
    return Table("Writes for each service, and for each change", ["kind", *stages], rows)


def _changes(found: Measured) -> Table:
    latencies = found.stages["changes"].latencies
    shares = (0.5, 0.9, 0.99, 1.0)
    return Table(
        f"From a change to its child, {len(latencies)} changes, ten a second",
        ["", "p50", "p90", "p99", "max"],
        [["milliseconds", *(f"{quantile(latencies, share) * 1000:.0f}" for share in shares)]],
    )


def _peers(found: Measured, world: World) -> Table:
    seconds = found.stages["create"].seconds
    ours = (f"this run, {world.services:,} WhisperServices", f"{seconds:.0f}", f"{world.services / seconds:.1f}")
    return Table(
        "Beside others' published figures (their machines, their programs, their idea of done)",
        ["what", "seconds", "a second"],
        [ours, *PEERS],
    )
