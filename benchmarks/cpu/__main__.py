"""`python -m benchmarks.cpu`: about five minutes on two cores; the machine should have nothing else to do."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime

from benchmarks import ceiling, weights
from benchmarks.cpu.contenders import ENTRANTS
from benchmarks.cpu.measure import Heat, heat, words
from benchmarks.cpu.tables import bound_table, metrics, speed_table, words_table
from benchmarks.machine import this_machine
from benchmarks.report import Report, command_line, publish, say
from benchmarks.rounds import Limits


def main() -> None:
    arguments = _arguments()
    prepare(arguments.models)
    limits = Limits(arguments.rounds, arguments.seconds)
    heats = []
    for model in arguments.models:
        for threads in arguments.threads:
            say(f"{model}, {threads} thread(s)")
            heats.append(heat(model, threads, limits))
    report = finish(heats, arguments.models)
    publish(report, arguments.page)


def prepare(names: Sequence[str]) -> None:
    """Make every file first, so that making them disturbs no measurement."""
    for name in names:
        for entrant in ENTRANTS.values():
            say(f"{name} for {entrant.name}")
            weights.folder(entrant.make, name)


def finish(heats: Sequence[Heat], names: Sequence[str]) -> Report:
    """Words and ceiling, and all of it as a report."""
    say("words")
    found = [words(name) for name in names]
    say("ceiling")
    top = ceiling.measured(threads=1)
    operations = {name: ceiling.encoder_operations(_config(name)) for name in names}
    tables = [*map(speed_table, heats), words_table(found), bound_table(heats, top, operations)]
    return Report("cpu", this_machine(), datetime.now(UTC).date(), tables, metrics(heats, found))


def _config(model: str) -> dict[str, int]:
    config: dict[str, int] = json.loads((weights.folder(weights.onnx, model) / "config.json").read_text())
    return config


def _arguments() -> argparse.Namespace:
    parser = command_line("cpu", __doc__)
    parser.add_argument("--rounds", type=int, default=9, help="at most so many for each model and number of threads")
    parser.add_argument("--seconds", type=float, default=60, help="begin no round after so long, once there are three")
    parser.add_argument("--models", nargs="+", default=["base", "tiny.en"])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    return parser.parse_args()


if __name__ == "__main__":
    main()
