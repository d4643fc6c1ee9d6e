"""What a measurement was made on: enough to judge it by, nothing that identifies the machine."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

_X86 = ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16")
_ARM = ("asimddp", "i8mm", "bf16")
"""What decides how fast small numbers are multiplied."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A processor, how many of its cores we may use, and the memory."""

    model: str
    flags: tuple[str, ...]
    cores: int
    memory_gib: int

    def __str__(self) -> str:
        flags = ", ".join(self.flags) or "none of the flags that matter"
        return f"{self.model} ({flags}), {self.cores} cores, {self.memory_gib} GiB"


def this_machine() -> Machine:
    """Read from /proc."""
    return parse(Path("/proc/cpuinfo").read_text(), Path("/proc/meminfo").read_text(), len(os.sched_getaffinity(0)))


def parse(cpuinfo: str, meminfo: str, cores: int) -> Machine:
    """From what /proc/cpuinfo and /proc/meminfo say."""
    model = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    flags = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+) kB$", meminfo, re.MULTILINE)
    present = set(flags[1].split()) if flags else set()
    return Machine(
        model=model[1].strip() if model else "unnamed processor",
        flags=tuple(flag for flag in _X86 + _ARM if flag in present),
        cores=cores,
        memory_gib=round(int(memory[1]) / 2**20) if memory else 0,
    )
