"""What was measured, as tables and as metrics. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.models.checkpoints import LARGE
from benchmarks.models.conversions import HALF, OPENVINO, OPTIMUM, OUR, QUANTISED, TOOLS, Heat, Kind
from benchmarks.models.downloads import CLIENT, CUT, KILLED, UNDISTURBED, Race
from benchmarks.models.downloads import OUR as OUR_DOWNLOAD
from benchmarks.models.likeness import Likeness
from benchmarks.report import Table

MODEL, PAYLOAD = "base", "base"
"""Of which the agreed metrics are."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything."""

    heats: Sequence[Heat]
    sizes_mib: Mapping[str, float]
    """Of each model's checkpoint."""
    likenesses: Sequence[Likeness]
    races: Sequence[Race]


def conversion_table(measured: Measured, kind: Kind) -> Table:
    """One format of all models: medians and quartiles over the rounds."""
    rows = [row for heat in measured.heats if heat.kind == kind for row in _rows(heat, measured.sizes_mib[heat.model])]
    columns = ("model, by", "seconds", "cpu seconds", "our speed-up", "peak MiB", "of the checkpoint", "our share")
    return Table(f"A checkpoint to {kind[0]} {kind[1]}", columns, rows)


def _rows(heat: Heat, size_mib: float) -> list[tuple[str, ...]]:
    return [
        (
            f"{heat.model}, {name}",
            heat.seconds(name).show(2),
            f"{heat.cpu_seconds(name):.2f}",
            "" if name == OUR else heat.speed(name).show(1),
            f"{heat.peak_mib(name):.0f}",
            f"{heat.peak_mib(name) / size_mib:.2f}",
            "" if name == OUR else f"{heat.memory(name):.2f}",
        )
        for name in heat.takes
    ]


def likeness_table(found: Sequence[Likeness]) -> Table:
    return Table("What was made", ("model", "format", "ours and theirs"), [(f.model, f.what, f.found) for f in found])


def download_table(races: Sequence[Race]) -> Table:
    """All ways of one repository; what is sent more than once, the table shows."""
    rows = [
        (
            f"{race.way}, {name}",
            race.seconds(name).show(2),
            "" if name == OUR_DOWNLOAD else race.speed(name).show(2),
            f"{race.sent_mib(name):.0f}",
            f"{race.peak_mib(name):.0f}",
        )
        for race in races
        for name in race.fetched
    ]
    first = races[0]
    rounds = len(first.fetched[CLIENT])
    title = f"Download of {first.model}, {first.size_mib:.0f} MiB, {rounds} rounds"
    return Table(title, ("way, by", "seconds", "our speed-up", "MiB sent", "peak MiB"), rows)


def metrics(measured: Measured) -> dict[str, float]:
    """The agreed names are of base; the same of the other models bear theirs."""
    values: dict[str, float] = {}
    for heat in measured.heats:
        values |= _of_heat(heat)
    large = [heat.peak_mib(OUR) for heat in measured.heats if heat.model == LARGE]
    if large:
        values["large_v3_peak_memory_vs_size"] = max(large) / measured.sizes_mib[LARGE]
    for race in measured.races:
        values |= _of_race(race)
    return values


def _of_heat(heat: Heat) -> dict[str, float]:
    prefix = "" if heat.model == MODEL else f"{_word(heat.model)}_"
    match heat.kind, heat.peer:
        case (_, None):
            return {f"{prefix}{heat.kind[0]}_{heat.kind[1]}_seconds": heat.seconds(OUR).median}
        case (kind, peer) if kind == OPENVINO and peer == OPTIMUM:
            return {
                f"{prefix}openvino_int8_speed_vs_optimum": heat.speed(OPTIMUM).median,
                f"{prefix}openvino_int8_memory_vs_optimum": heat.memory(OPTIMUM),
            }
        case (kind, peer) if kind in (HALF, QUANTISED) and peer == TOOLS:
            name = "ggml" if kind == QUANTISED else "ggml_f16"
            return {
                f"{prefix}{name}_speed_vs_whisper_cpp_tools": heat.speed(TOOLS).median,
                f"{prefix}{name}_memory_vs_whisper_cpp_tools": heat.memory(TOOLS),
            }
    raise ValueError(f"nobody agreed on a metric of {heat.kind} by {heat.peer}")


def _of_race(race: Race) -> dict[str, float]:
    prefix = "" if race.model == PAYLOAD else f"{_word(race.model)}_"
    match race.way:
        case _ if race.way == UNDISTURBED:
            return {f"{prefix}download_speed_vs_hub_client": race.speed(CLIENT).median}
        case _ if race.way == CUT:
            return {f"{prefix}download_with_a_cut_seconds": race.seconds(OUR_DOWNLOAD).median}
        case _ if race.way == KILLED:
            return {
                f"{prefix}resume_seconds": race.seconds(OUR_DOWNLOAD).median,
                f"{prefix}resume_speed_vs_hub_client": race.speed(CLIENT).median,
            }
    raise ValueError(race.way)


def _word(name: str) -> str:
    return name.replace(".", "_").replace("-", "_")
