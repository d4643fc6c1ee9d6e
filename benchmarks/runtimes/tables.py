"""What was measured, as tables and as metrics. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.ceiling import Ceiling
from benchmarks.report import Table
from benchmarks.rounds import Spread, quantile
from benchmarks.runtimes.contenders import ENTRANTS, FASTER_WHISPER, NPU, OPENVINO_GENAI, OURS
from benchmarks.runtimes.engines import CUT, CUT_WORDS_ON, LANES, NPU_CUT, WORDS_ON, Heat
from benchmarks.runtimes.probes import Probed
from benchmarks.runtimes.served import CROWDS, Latency, Served
from benchmarks.runtimes.words import Mistakes

MS = 1000


def speed_table(heat: Heat) -> Table:
    """Medians and quartiles over the rounds."""
    rows = [
        (
            lane.label,
            heat.seconds(name).show(3),
            "" if name == OURS else heat.times(name, OURS).show(2),
            f"{heat.cpu_seconds(name).median:.2f}",
            "" if name == OURS else f"{heat.times_cpu(name, OURS).median:.2f}",
            str(heat.errors(name)),
            f"{heat.peak_mib(name):.0f}",
        )
        for name, lane in LANES.items()
    ]
    rounds = len(heat.takes[OURS])
    threads = f"{heat.threads} thread{'s' if heat.threads > 1 else ''}"
    return Table(
        f"Engines: {threads}, {heat.clip.name} of speech, {rounds} rounds",
        ("engine", "seconds", "times ours", "cpu seconds", "times ours", "word errors", "peak MiB"),
        rows,
    )


def bound_table(heat: Heat, ceiling: Ceiling, operations: float) -> Table:
    """What the encoder's arithmetic would take if every product ran at the ceiling, beside our whole time."""
    bound, ours = operations / 1e9 / ceiling.int8, heat.seconds(OURS).median
    row = (
        f"{operations / 1e9:.1f}",
        f"{bound:.3f}",
        f"{operations / 1e9 / ceiling.fp32:.3f}",
        f"{ours:.3f}",
        f"{100 * bound / ours:.0f} %",
    )
    return Table(
        f"The bound, one thread: {ceiling.int8:.0f} GOP/s in int8, {ceiling.fp32:.0f} GFLOP/s in fp32",
        ("encoder GFLOP", "bound int8 s", "bound fp32 s", "ours s", "share of the int8 bound"),
        [row],
    )


def latency_table(served: Served) -> Table:
    """Milliseconds of one caller, clip by clip."""
    pairs = {(one.clip.name, one.server, one.words): one for one in served.latencies}
    rows = []
    for (clip, server, words), off in pairs.items():
        if words:
            continue
        on = pairs[clip, server, True]
        rows.append(
            (
                f"{clip}: {ENTRANTS[server].label}",
                *(f"{MS * answered_within(off, share):.0f}" for share in (0.5, 0.95)),
                *(f"{MS * answered_within(on, share):.0f}" for share in (0.5, 0.95)),
                f"{answered_within(off, 0.5) / off.clip.seconds:.3f}",
                str(off.errors()),
                str(len(off.answers)),
            )
        )
    columns = ("server", "p50 ms", "p95 ms", "words on: p50 ms", "p95 ms", "real-time factor", "word errors", "calls")
    return Table(f"Servers: one caller, {served.threads} threads", columns, rows)


def answered_within(latency: Latency, share: float) -> float:
    """Seconds: the smallest answer time that so large a share does not exceed."""
    return quantile([answer.seconds for answer in latency.answers], share)


def probes_table(found: Sequence[Probed]) -> Table:
    """Milliseconds until `/livez` is answered."""
    rows = [(one.server, *(f"{MS * quantile(one.seconds, share):.1f}" for share in (0.5, 0.99, 1.0))) for one in found]
    calls = min(len(one.seconds) for one in found)
    return Table(
        f"Servers: /livez while all threads transcribe, {calls} calls", ("server", "p50 ms", "p99 ms", "most"), rows
    )


def crowd_table(served: Served) -> Table:
    """Seconds of audio heard in a second."""
    clip = served.crowd_clip
    rows = [
        (ENTRANTS[name].label, *(f"{clip.seconds * crowds[callers].per_second:.1f}" for callers in CROWDS))
        for name, crowds in served.crowds.items()
    ]
    columns = ("server", *(f"{callers} caller{'s' if callers > 1 else ''}" for callers in CROWDS))
    return Table(f"Servers: seconds of audio heard in a second, clips of {clip.name}", columns, rows)


def memory_table(served: Served) -> Table:
    """Of a server with its children."""
    rows = [
        (ENTRANTS[name].label, f"{memory.ready:.0f}", f"{memory.peak:.0f}") for name, memory in served.memory.items()
    ]
    return Table("Servers: memory", ("server", "MiB when ready", "peak MiB"), rows)


def overhead(latency: Latency) -> Spread:
    """Milliseconds from the caller's first byte to the last of the answer, less what the engine took of them."""
    return Spread.of([MS * (answer.seconds - answer.engine_seconds) for answer in latency.answers])


def overhead_table(served: Served) -> Table:
    """Of our own servers, which say what the engine took."""
    rows = [
        (f"{one.clip.name}: {one.server}", f"{one.clip.file.stat().st_size / 1000:.0f}", overhead(one).show(2))
        for one in served.latencies
        if one.server in {OURS, NPU} and not one.words
    ]
    return Table("What HTTP adds to the engine's time", ("clip and server", "kB sent", "ms"), rows)


def words_table(found: Mistakes) -> Table:
    """Errors of each clip, and the rate of all."""
    rows = [
        (
            LANES[name].label,
            *(str(errors[clip.name]) for clip in found.clips),
            f"{found.rate(name):.1f} %",
        )
        for name, errors in found.errors.items()
    ]
    columns = ("engine", *(f"{clip.name} ({found.spoken(clip)} words)" for clip in found.clips), "of all")
    return Table("Word errors, with voice detection where an engine has it", columns, rows)


def engine_metrics(heats: Sequence[Heat]) -> dict[str, Spread]:
    """Ratios of one thread and of two, those of which were measured."""
    values = {}
    for heat in heats:
        if heat.threads == 1:
            values["cpu_base_int8_speed_vs_faster_whisper"] = heat.times(FASTER_WHISPER, OURS)
            values["cpu_base_int8_speed_vs_openvino_genai"] = heat.times(OPENVINO_GENAI, OURS)
            values["npu_engine_on_cpu_speed_vs_faster_whisper"] = heat.times(FASTER_WHISPER, NPU_CUT)
            values["npu_engine_on_cpu_speed_vs_faster_whisper_full_context"] = heat.times(FASTER_WHISPER, NPU)
            values["cpu_base_int8_11s_clip_speed_vs_faster_whisper"] = heat.times(FASTER_WHISPER, CUT)
            values["words_on_cost_ratio"] = heat.times(CUT_WORDS_ON, CUT)
            values["words_on_cost_ratio_full_context"] = heat.times(WORDS_ON, OURS)
        else:
            prefix = f"cpu_base_int8_{heat.threads}threads_speed_vs"
            values[f"{prefix}_faster_whisper"] = heat.times(FASTER_WHISPER, OURS)
            values[f"{prefix}_openvino_genai"] = heat.times(OPENVINO_GENAI, OURS)
    return values


def http_metrics(served: Served) -> dict[str, Spread]:
    """Of the cpu runtime and the clip that is sent by crowds."""
    clip = served.crowd_clip
    (one,) = (x for x in served.latencies if (x.server, x.clip, x.words) == (OURS, clip, False))
    return {"http_overhead_ms_p50": overhead(one)}


def probe_metrics(found: Sequence[Probed]) -> dict[str, Spread]:
    """Of the slower one of our servers."""
    return {"livez_p99_ms": Spread.of([max(MS * quantile(one.seconds, 0.99) for one in found)])}


def word_metrics(found: Mistakes) -> dict[str, Spread]:
    """In points of a hundred words."""
    ours = found.rate(OURS)
    return {
        "cpu_base_int8_wer_minus_faster_whisper": Spread.of([ours - found.rate(FASTER_WHISPER)]),
        "cpu_base_int8_wer_cut_minus_full": Spread.of([found.rate(CUT) - ours]),
    }
