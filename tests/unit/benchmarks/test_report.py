import json
import re
from datetime import date
from pathlib import Path

import pytest

from benchmarks.machine import Machine
from benchmarks.report import BEGIN, END, PAGES, Report, Table, keep

TABLE = Table("Speed", ("engine", "seconds"), (("ours", "1.0"), ("faster-whisper", "12.5")))
MACHINE = Machine("A Processor", ("avx2",), cores=2, memory_gib=24)


def report(**metrics: float) -> Report:
    return Report("cpu", MACHINE, date(2026, 1, 2), [TABLE], metrics)


def test_a_table_for_a_terminal_is_aligned() -> None:
    assert TABLE.text().splitlines() == [
        "Speed",
        "engine          seconds",
        "───────────────────────",
        "ours                1.0",
        "faster-whisper     12.5",
    ]


def test_a_table_for_a_page_is_markdown() -> None:
    assert TABLE.markdown().splitlines() == [
        "### Speed",
        "",
        "| engine | seconds |",
        "| --- | --: |",
        "| ours | 1.0 |",
        "| faster-whisper | 12.5 |",
    ]


def test_the_last_line_is_json_with_the_bench_and_its_metrics_rounded() -> None:
    line = report(base_int8_speed=2.15649, base_int8_peak_mib=300.0).line()
    assert "\n" not in line
    assert json.loads(line) == {"bench": "cpu", "metrics": {"base_int8_speed": 2.156, "base_int8_peak_mib": 300.0}}


def test_a_page_keeps_its_prose_and_the_newest_measurement_only(tmp_path: Path) -> None:
    page = tmp_path / "cpu.md"
    page.write_text(f"# Speed\n\nWhy.\n\n{BEGIN}\nold\n{END}\n\nAfterwards.\n")
    keep(report(), page)
    keep(report(), page)
    text = page.read_text()
    assert text.startswith("# Speed\n\nWhy.\n")
    assert text.endswith(f"{END}\n\nAfterwards.\n")
    assert "old" not in text
    assert text.count("Measured on 2026-01-02: A Processor (avx2), 2 cores, 24 GiB.") == 1
    assert text.count("| ours | 1.0 |") == 1


def test_a_page_without_the_marks_is_refused_with_what_to_do(tmp_path: Path) -> None:
    page = tmp_path / "cpu.md"
    page.write_text("# Speed\n")
    with pytest.raises(ValueError, match="what is measured goes between them"):
        keep(report(), page)


def test_every_benchmark_has_a_page_that_can_be_written_to() -> None:
    names = re.findall(r"^bench-([a-z]+):", (PAGES.parents[1] / "Makefile").read_text(), re.MULTILINE)
    assert "runtimes" in names
    for name in names:
        assert [(PAGES / f"{name}.md").read_text().count(mark) for mark in (BEGIN, END)] == [1, 1]
