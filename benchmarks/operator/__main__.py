"""`python -m benchmarks.operator`: about ten minutes on two cores; the machine should have nothing else to do."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import this_machine
from benchmarks.operator import stages
from benchmarks.operator.api import connected
from benchmarks.operator.processes import BENCH, OURS, Clock, control_plane
from benchmarks.operator.tables import Measured, metrics, tables
from benchmarks.operator.world import World
from benchmarks.report import Report, command_line, publish, say
from tests.cluster import settings
from tests.cluster.binaries import CONTROL_PLANE, Binaries
from tests.cluster.control_plane import ControlPlane
from tests.integration.operator_process import OperatorProcess, operator_process
from tests.support.processes import memory_mib

WITHOUT_PODS = "-deployment-controller"


def main() -> None:
    arguments = _arguments()
    world = World(arguments.services, arguments.sets, arguments.namespaces)
    binaries = Binaries(settings.read().cache)
    binaries.build(("kubectl", *CONTROL_PLANE), say=_say)
    controllers = ("*",) if arguments.pods else ("*", WITHOUT_PODS)
    with tempfile.TemporaryDirectory() as folder, ControlPlane(binaries, controllers) as kubeconfig:
        measured = asyncio.run(measure(kubeconfig, Path(folder) / "operator.log", world, arguments))
    report = Report(
        "operator", this_machine(), datetime.now(UTC).date(), tables(measured, world), metrics(measured, world)
    )
    publish(report, arguments.page)


async def measure(kubeconfig: Path, log: Path, world: World, arguments: argparse.Namespace) -> Measured:
    """All stages."""
    found = Measured(load=os.getloadavg()[0])
    async with connected(kubeconfig) as api:
        await stages.prepare(api, world)
        with operator_process(kubeconfig, log) as operator:
            _say("model sets")
            await stages.make_sets(api, world)
            await stages.settle(operator, _clock(operator))
            _say("create")
            found.stages["create"] = await stages.create(api, world, operator, _clock(operator))
            _say("settle")
            found.stages["settle"] = await stages.settle(operator, _clock(operator))
            found.memory["first"] = memory_mib(operator.process.pid)
        _say("restart")
        begun = time.monotonic()
        with operator_process(kubeconfig, log) as operator:
            clock = _clock(operator, from_start=True)
            found.stages["restart"] = await stages.restart(operator, begun, world, clock)
            _say("rest")
            before = await stages.written(api)
            found.stages["rest"] = await stages.rest(operator, _clock(operator), arguments.rest)
            found.written = sum(before.get(uid) != now for uid, now in (await stages.written(api)).items())
            _say("changes")
            found.stages["changes"] = await stages.change(
                api, world, operator, _clock(operator), a_second=10, seconds=arguments.changes
            )
            found.memory["second"] = memory_mib(operator.process.pid)
    found.load_after = os.getloadavg()[0]
    return found


def _clock(operator: OperatorProcess, *, from_start: bool = False) -> Clock:
    return Clock({OURS: operator.process.pid, **control_plane(), BENCH: os.getpid()}, {OURS} if from_start else set())


def _arguments() -> argparse.Namespace:
    parser = command_line("operator", __doc__)
    parser.add_argument("--services", type=int, default=1000)
    parser.add_argument("--sets", type=int, default=100)
    parser.add_argument("--namespaces", type=int, default=10)
    parser.add_argument(
        "--pods", action="store_true", help="let the cluster make each router's pod, which no node takes"
    )
    parser.add_argument("--rest", type=float, default=60, help="seconds")
    parser.add_argument("--changes", type=float, default=60, help="seconds of ten changes each")
    return parser.parse_args()


def _say(what: str) -> None:
    say(what)
    print(json.dumps({"load": os.getloadavg()[0]}), file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
