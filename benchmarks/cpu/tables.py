"""What was measured, as tables and as metrics. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.ceiling import Ceiling
from benchmarks.cpu.contenders import ENTRANTS, OURS
from benchmarks.cpu.measure import Heat, Words
from benchmarks.report import Table


def speed_table(heat: Heat) -> Table:
    """Medians and quartiles over the rounds."""
    peers = [name for name in ENTRANTS if name != OURS]
    rows = [
        (
            f"{name} {ENTRANTS[name].precision}",
            heat.seconds(name).show(3),
            f"{heat.cpu_seconds(name).median:.3f}",
            heat.speed(OURS, name).show(2) if name in peers else "",
            str(heat.errors(name)),
            f"{heat.peak_mib(name):.0f}",
        )
        for name in ENTRANTS
    ]
    rounds = len(heat.takes[OURS])
    threads = f"{heat.threads} thread{'s' if heat.threads > 1 else ''}"
    return Table(
        f"{heat.model}, {threads}, 11 s of speech in a 30 s context, {rounds} rounds",
        ("engine", "seconds", "cpu seconds", "our speed-up", "word errors", "peak MiB"),
        rows,
    )


def words_table(found: Sequence[Words]) -> Table:
    """Both with their voice detection; one word is more than one point."""
    names = tuple(found[0].errors)
    rows = []
    for words in found:
        rates = (f"{words.rate(name):.1f} % ({errors})" for name, errors in words.errors.items())
        rows.append((words.model, *rates, f"{words.points:+.1f}"))
    return Table(f"Word errors on 30 s of telephone speech, {found[0].spoken} words", ("model", *names, "points"), rows)


def bound_table(heats: Sequence[Heat], ceiling: Ceiling, operations: Mapping[str, float]) -> Table:
    """What the encoder's arithmetic would take if every product ran at the ceiling, beside our whole time."""
    rows = []
    for heat in (heat for heat in heats if heat.threads == 1):
        bound = operations[heat.model] / 1e9 / ceiling.int8
        ours = heat.seconds(OURS).median
        rows.append(
            (
                heat.model,
                f"{operations[heat.model] / 1e9:.1f}",
                f"{bound:.3f}",
                f"{operations[heat.model] / 1e9 / ceiling.fp32:.3f}",
                f"{ours:.3f}",
                f"{100 * bound / ours:.0f} %",
            )
        )
    return Table(
        f"The bound, one thread: {ceiling.int8:.0f} GOP/s in int8, {ceiling.fp32:.0f} GFLOP/s in fp32",
        ("model", "encoder GFLOP", "bound int8 s", "bound fp32 s", "ours s", "share of the int8 bound"),
        rows,
    )


def metrics(heats: Sequence[Heat], found: Sequence[Words]) -> dict[str, float]:
    """On one thread, which is what the goals are set for."""
    values: dict[str, float] = {}
    points = {words.model: words.points for words in found}
    for heat in (heat for heat in heats if heat.threads == 1):
        prefix = f"{heat.model.replace('.', '_')}_int8"
        for name, entrant in ENTRANTS.items():
            if name != OURS:
                values[f"{prefix}_speed_vs_{entrant.metric}"] = heat.speed(OURS, name).median
        values[f"{prefix}_wer_minus_faster_whisper"] = points[heat.model]
        values[f"{prefix}_peak_mib"] = heat.peak_mib(OURS)
    return values
