"""`python -m benchmarks.failover`: an hour on two cores; the machine should have nothing else to do."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from benchmarks.failover.tables import Seen, Timings, metrics, table
from benchmarks.machine import this_machine
from benchmarks.report import Report, command_line, publish, say
from tests.cluster.provider import Shape
from tests.e2e import environment
from tests.e2e.environment import Environment
from tests.e2e.faults.fault import LONG, Fault
from tests.e2e.faults.running import run
from tests.e2e.faults.scene import CHAIN, SIBLINGS, Scene, opened
from tests.e2e.faults.table import FAULTS
from tests.e2e.faults.verdict import Observation
from tests.e2e.hub import deployed

INSTANCE = "bench"
MEASURED = {fault.name: fault for fault in FAULTS if fault.expects}
CLUSTERS: dict[str, tuple[Timings, Shape]] = {
    "quick": (
        Timings("", "DNS answers kept for 2 s, a lost node NotReady after 12 s"),
        environment.QUICK,
    ),
    "kubeadm": (
        Timings("kubeadm_", "kubeadm's timings: DNS answers kept for 30 s, a lost node NotReady after 50 s"),
        environment.KUBEADM,
    ),
}


def main() -> None:
    arguments = _arguments()
    found = [
        (timings, measured(shape, [MEASURED[name] for name in arguments.faults], arguments.times))
        for timings, shape in (CLUSTERS[name] for name in arguments.timings)
    ]
    report = Report(
        "failover",
        this_machine(),
        datetime.now(UTC).date(),
        [table(timings, seen) for timings, seen in found],
        {name: value for timings, seen in found for name, value in metrics(timings, seen).items()},
    )
    publish(report, arguments.page)


def measured(shape: Shape, faults: Sequence[Fault], times: int) -> Seen:
    """Each fault so many times, on a cluster of its own."""
    with environment.cluster(INSTANCE, shape) as there:
        hub_namespace = environment.make_namespace(there.kubectl, "hub")
        with deployed(hub_namespace, there.images["testhub"]) as hub:
            environment.install(there, hub)
            return {name: seen for found in _by_setting(there, faults, times) for name, seen in found.items()}


def _by_setting(there: Environment, faults: Sequence[Fault], times: int) -> Iterator[Seen]:
    """Those of one service together."""
    for setting in (SIBLINGS, CHAIN):
        if mine := [fault for fault in faults if fault.setting is setting]:
            with opened(there, setting) as scene:
                yield {fault.name: [_once(fault, scene, number) for number in range(times)] for fault in mine}


def _once(fault: Fault, scene: Scene, number: int) -> Observation:
    say(f"{fault.name}, time {number + 1}")
    seen = run(fault, scene, LONG)
    assert seen, f"{fault.name} has no callers"
    return seen


def _arguments() -> argparse.Namespace:
    parser = command_line("failover", __doc__)
    parser.add_argument("--times", type=int, default=3, help="how often each fault is made (%(default)s)")
    parser.add_argument("--faults", nargs="+", default=list(MEASURED), choices=MEASURED, metavar="FAULT")
    parser.add_argument("--timings", nargs="+", default=list(CLUSTERS), choices=CLUSTERS, help="of the cluster; both")
    return parser.parse_args()


if __name__ == "__main__":
    main()
