"""The metrics that the runtimes are judged by, and the goal of each. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.report import Table
from benchmarks.rounds import Spread


@dataclass(frozen=True, slots=True)
class Goal:
    """What a metric should be: at least, or at most."""

    bound: float
    at_most: bool = False

    def reached(self, value: float) -> bool:
        """Whether it is."""
        return value <= self.bound if self.at_most else value >= self.bound

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.bound}"


GOALS: Mapping[str, Goal] = {
    "cpu_base_int8_speed_vs_faster_whisper": Goal(2.1),
    "cpu_base_int8_speed_vs_openvino_genai": Goal(1.0),
    "cpu_base_int8_2threads_speed_vs_openvino_genai": Goal(1.0),
    "cpu_base_int8_11s_clip_speed_vs_faster_whisper": Goal(4.5),
    "npu_engine_on_cpu_speed_vs_faster_whisper": Goal(1.8),
    "words_on_cost_ratio": Goal(1.3, at_most=True),
    "http_overhead_ms_p50": Goal(3.0, at_most=True),
    "livez_p99_ms": Goal(50.0, at_most=True),
}


def goals_table(measured: Mapping[str, Spread]) -> Table:
    """In the order of the goals, then what has none."""
    rows = [_row(name, measured[name]) for name in _ordered(measured)]
    return Table("Against the goals", ("metric", "measured", "goal", "reached"), rows)


def _ordered(measured: Mapping[str, Spread]) -> Sequence[str]:
    return [*(name for name in GOALS if name in measured), *(name for name in measured if name not in GOALS)]


def _row(name: str, value: Spread) -> tuple[str, str, str, str]:
    goal = GOALS.get(name)
    if goal is None:
        return name, value.show(2), "", ""
    return name, value.show(2), str(goal), "yes" if goal.reached(value.median) else "no"
