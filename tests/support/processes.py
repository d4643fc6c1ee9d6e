"""What processes use, read from /proc, with all that descend from them: an engine may compute in a child."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Use:
    """Of a process and its descendants together.

    Attributes:
        cpu_seconds: user and system time so far, of those that live.
        peak_mib: the sum of their largest resident sizes, which counts what they share more than once.
    """

    cpu_seconds: float
    peak_mib: float


def use(pid: int) -> Use:
    """Of a process and its descendants."""
    times, peaks = list[float](), list[float]()
    for one in tree(pid):
        try:
            used = cpu_seconds(one), memory_mib(one)
        except (OSError, LookupError):  # it ended just now
            continue
        times.append(used[0])
        peaks.append(used[1])
    return Use(sum(times), sum(peaks))


def tree(pid: int) -> Iterator[int]:
    """The process, its children, and theirs."""
    yield pid
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = file.read_text().split()
        except OSError:
            continue
        for child in children:
            yield from tree(int(child))


def cpu_seconds(pid: int) -> float:
    """User and system time so far, of this process alone."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mib(pid: int, field: str = "VmHWM") -> float:
    """The largest resident size so far, or another line of /proc/PID/status."""
    found = re.search(rf"^{field}:\s*(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    if found is None:
        raise LookupError(f"/proc/{pid}/status has no {field}")
    return int(found[1]) / 1024
