"""`python -m benchmarks.runtimes`: about twelve minutes on two cores; the machine should have nothing else to do.

Four parts: `engines` in turns as libraries, `http` as servers on loopback, `probes` of our servers at work, and the
`words` that all get wrong. Only a run of all four is kept on the page.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime

from benchmarks import ceiling, weights
from benchmarks.machine import this_machine
from benchmarks.report import Report, Table, command_line, publish, say
from benchmarks.rounds import Limits, Spread
from benchmarks.runtimes import tables
from benchmarks.runtimes.clips import Clip, call, clips
from benchmarks.runtimes.contenders import ENTRANTS, MODEL
from benchmarks.runtimes.engines import heat
from benchmarks.runtimes.goals import goals_table
from benchmarks.runtimes.probes import probed
from benchmarks.runtimes.served import served
from benchmarks.runtimes.words import mistakes

PARTS = ("engines", "http", "probes", "words")
_SPEECH = "11 s"
"""The clip of the ratios and of the crowds."""


def main() -> None:
    arguments = _arguments()
    say("models and clips")
    for entrant in ENTRANTS.values():
        entrant.setting(threads=1)
    heard = clips()
    found, metrics = list[Table](), dict[str, Spread]()
    for part in arguments.part:
        made, values = _PARTS[part](heard, arguments)
        found += made
        metrics |= values
    medians = {name: value.median for name, value in metrics.items()}
    report = Report("runtimes", this_machine(), datetime.now(UTC).date(), [goals_table(metrics), *found], medians)
    publish(report, arguments.page if set(arguments.part) == set(PARTS) else None)


Part = tuple[list[Table], dict[str, Spread]]


def _engines(heard: Sequence[Clip], arguments: argparse.Namespace) -> Part:
    heats = []
    for threads in arguments.threads:
        say(f"engines, {threads} thread(s)")
        heats.append(heat(_speech(heard), threads, _limits(arguments)))
    made = [tables.speed_table(one) for one in heats]
    if heats[0].threads == 1:
        say("ceiling")
        config = json.loads((weights.folder(weights.onnx, MODEL) / "config.json").read_text())
        bound = tables.bound_table(heats[0], ceiling.measured(threads=1), ceiling.encoder_operations(config))
        made.append(bound)
    return made, tables.engine_metrics(heats)


def _http(heard: Sequence[Clip], arguments: argparse.Namespace) -> Part:
    found = served(heard, _speech(heard), max(arguments.threads), _limits(arguments))
    parts = (tables.latency_table, tables.crowd_table, tables.memory_table, tables.overhead_table)
    return [part(found) for part in parts], tables.http_metrics(found)


def _probes(heard: Sequence[Clip], arguments: argparse.Namespace) -> Part:
    found = probed(_speech(heard), max(arguments.threads))
    return [tables.probes_table(found)], tables.probe_metrics(found)


def _words(heard: Sequence[Clip], _: argparse.Namespace) -> Part:
    found = mistakes([*heard, call()])
    return [tables.words_table(found)], tables.word_metrics(found)


_PARTS = {"engines": _engines, "http": _http, "probes": _probes, "words": _words}


def _limits(arguments: argparse.Namespace) -> Limits:
    return Limits(arguments.rounds, arguments.seconds, least=min(3, arguments.rounds))


def _speech(heard: Sequence[Clip]) -> Clip:
    return next(clip for clip in heard if clip.name == _SPEECH)


def _arguments() -> argparse.Namespace:
    parser = command_line("runtimes", __doc__)
    parser.add_argument("--part", nargs="+", choices=PARTS, default=PARTS, help="only these (default: all)")
    parser.add_argument(
        "--threads", nargs="+", type=int, default=[1, 2], help="of the engines; the servers get the most"
    )
    parser.add_argument("--rounds", type=int, default=20, help="at most so many for each number of threads, each clip")
    parser.add_argument("--seconds", type=float, default=45, help="begin no round after so long, once there are three")
    return parser.parse_args()


if __name__ == "__main__":
    main()
