"""`python -m benchmarks.router`: about two minutes on two cores; the machine should have nothing else to do."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from benchmarks.machine import this_machine
from benchmarks.report import Report, command_line, publish
from benchmarks.rounds import Limits
from benchmarks.router.measure import ONE, measure
from benchmarks.router.tables import latency_table, memory_table, metrics, rate_table


def main() -> None:
    arguments = _arguments()
    measured = measure(Limits(arguments.rounds, arguments.seconds), arguments.take)
    latencies = [latency_table(heat) for heat in measured.heats if heat.callers == ONE]
    tables = [*latencies, rate_table(measured), memory_table(measured)]
    report = Report("router", this_machine(), datetime.now(UTC).date(), tables, metrics(measured))
    publish(report, arguments.page)


def _arguments() -> argparse.Namespace:
    parser = command_line("router", __doc__)
    parser.add_argument("--rounds", type=int, default=9, help="at most so many for each kind of request")
    parser.add_argument("--seconds", type=float, default=60, help="begin no round after so long, once there are three")
    parser.add_argument("--take", type=float, default=1.5, help="seconds of calling for each way in a round")
    return parser.parse_args()


if __name__ == "__main__":
    main()
