"""What was measured, as tables and as metrics. Pure."""

from __future__ import annotations

from benchmarks.report import Table
from benchmarks.router.measure import DIRECT, MANY, ONE, ROUTED, UPLOAD, Heat, Measured


def latency_table(heat: Heat) -> Table:
    """One caller: medians and quartiles over the rounds, in milliseconds."""
    rows = [(way, heat.spread(way, "p50_ms").show(3), heat.spread(way, "p99_ms").show(3)) for way in (DIRECT, ROUTED)]
    rows.append(("added", heat.added("p50_ms").show(3), heat.added("p99_ms").show(3)))
    rounds = len(heat.takes[ROUTED])
    return Table(f"{heat.kind}, one caller, {rounds} rounds", ("way", "p50 ms", "p99 ms"), rows)


def rate_table(measured: Measured) -> Table:
    """Many callers: what is answered in a second when there is no core left."""
    rows = [
        (
            heat.kind,
            heat.spread(DIRECT, "requests_per_second").show(0),
            heat.spread(ROUTED, "requests_per_second").show(0),
            heat.spread(ROUTED, "p99_ms").show(1),
            str(heat.failed),
        )
        for heat in measured.heats
        if heat.callers == MANY
    ]
    columns = ("request", "directly, a second", "through the router, a second", "p99 ms", "failed")
    return Table(f"{MANY} callers, who share the cores with the router and the pod", columns, rows)


def memory_table(measured: Measured) -> Table:
    rows = [("idle", f"{measured.idle_mib:.0f}"), ("the most under this load", f"{measured.peak_mib:.0f}")]
    return Table("The router's memory", ("when", "MiB"), rows)


def metrics(measured: Measured) -> dict[str, float]:
    """The agreed names are of uploads, which is what callers send; `get_…` are of the smallest request there is."""
    values: dict[str, float] = {}
    for heat in measured.heats:
        prefix = "" if heat.kind == UPLOAD else "get_"
        if heat.callers == ONE:
            values[f"{prefix}added_p50_ms"] = heat.added("p50_ms").median
            values[f"{prefix}added_p99_ms"] = heat.added("p99_ms").median
        else:
            values[f"{prefix}requests_per_second"] = heat.spread(ROUTED, "requests_per_second").median
    return values | {"rss_mib": measured.peak_mib, "failed": sum(heat.failed for heat in measured.heats)}
