"""`python -m benchmarks.models`: about eight minutes on two cores; the machine should have nothing else to do.

The first time some minutes more: optimum's environment (69 packages, 5.7 GB) is made below WHISPER_CACHE, and
whisper.cpp's tools are built from source.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import this_machine
from benchmarks.models import downloads, peers
from benchmarks.models.checkpoints import LARGE, PART
from benchmarks.models.conversions import HALF, OPENVINO, QUANTISED, Bench, Heat
from benchmarks.models.likeness import likenesses
from benchmarks.models.processes import CommandFailedError
from benchmarks.models.tables import Measured, conversion_table, download_table, likeness_table, metrics
from benchmarks.report import Report, command_line, publish, say
from benchmarks.rounds import Limits

REAL = ("tiny.en", "base")


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as folder:
        measured = _measure(Path(folder), arguments)
    tables = [
        *(conversion_table(measured, kind) for kind in (OPENVINO, QUANTISED, HALF)),
        likeness_table(measured.likenesses),
        *(download_table([race for race in measured.races if race.model == model]) for model in ("base", PART)),
    ]
    publish(Report("models", this_machine(), datetime.now(UTC).date(), tables, metrics(measured)), arguments.page)


def _measure(scratch: Path, arguments: argparse.Namespace) -> Measured:
    optimum = peers.optimum()
    bench = Bench(scratch, optimum, peers.whisper_cpp(optimum.python))
    for model in (*REAL, LARGE):
        say(f"{model} into the store")
        bench.prepare(model)
    say("libraries into memory")
    bench.warm(REAL[0])
    heats = list(_heats(bench, arguments))
    say("what was made, compared")
    found = [likeness for model in REAL for likeness in likenesses(bench, model)]
    races = []
    for model in ("base", PART):
        say(f"{model} downloaded")
        races += downloads.races(model, scratch, Limits(arguments.rounds, arguments.seconds))
    heats += _large(bench, arguments)  # last: what takes longest, and leaves the least memory to others
    return Measured(heats, {model: bench.size_mib(model) for model in (*REAL, LARGE)}, found, races)


def _heats(bench: Bench, arguments: argparse.Namespace) -> Iterator[Heat]:
    for model in REAL:
        say(f"{model} to OpenVINO")
        yield bench.heat(model, OPENVINO, Limits(arguments.optimum_rounds, arguments.seconds, least=1))
        for kind in (QUANTISED, HALF):
            say(f"{model} to GGML {kind[1]}")
            yield bench.heat(model, kind, Limits(arguments.rounds, arguments.seconds))


def _large(bench: Bench, arguments: argparse.Namespace) -> Iterator[Heat]:
    """Once, and by us alone where the peer's run is not asked for."""
    for kind, compared in ((OPENVINO, arguments.large_optimum), (QUANTISED, arguments.large_tools)):
        say(f"{LARGE} to {kind[0]} {kind[1]}")
        once = Limits(1, 0, least=1)
        try:
            yield bench.heat(LARGE, kind, once, alone=not compared)
        except CommandFailedError as reason:  # a peer that runs out of memory must not cost the hour before it
            say(f"not compared, since {reason}")
            yield bench.heat(LARGE, kind, once, alone=True)


def _arguments() -> argparse.Namespace:
    parser = command_line("models", __doc__)
    parser.add_argument("--rounds", type=int, default=3, help="at most so many of each GGML conversion and download")
    parser.add_argument("--optimum-rounds", type=int, default=2, help="at most so many against optimum")
    parser.add_argument("--seconds", type=float, default=90, help="begin no round after so long, once there are three")
    parser.add_argument(
        "--large-optimum",
        action="store_true",
        help="give the large model to optimum too, which takes it many minutes and more than 15 GB of memory",
    )
    parser.add_argument("--large-tools", action="store_true", help="and to whisper.cpp's tools")
    parser.add_argument("--scratch", type=Path, help="where 10 GB are free (default: the temporary folder)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
