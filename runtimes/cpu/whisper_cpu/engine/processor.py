"""What the processor multiplies by itself: weights in blocks as they are, numbers in bf16."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable
from pathlib import Path

_NEEDED = {"x86_64": "avx2", "aarch64": "asimddp"}
"""Architecture → the flag in /proc/cpuinfo that ONNX Runtime's kernels for 8 bits want: without it, it makes floats of
weights each time."""
BF16 = ("avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_bf16")
"""What our attention in bf16 is compiled for."""
_CPUINFO = Path("/proc/cpuinfo")


def lacks() -> str | None:
    """The flag that it lacks for 8 bits; None if nothing, or not known, as on macOS, whose processors have it."""
    return missing(platform.machine(), _CPUINFO.read_text()) if _CPUINFO.is_file() else None


def missing(machine: str, cpuinfo: str) -> str | None:
    """The same by what /proc/cpuinfo says."""
    needed = _NEEDED.get(machine)
    return _first_missing([needed], cpuinfo) if needed and _flags(cpuinfo) else None


def lacks_for_bf16() -> str | None:
    """The first flag that it lacks for attention in bf16, None if it has them all."""
    return missing_for_bf16(_CPUINFO.read_text() if _CPUINFO.is_file() else "")


def missing_for_bf16(cpuinfo: str) -> str | None:
    """The same by what /proc/cpuinfo says; what is not known is missing."""
    return _first_missing(BF16, cpuinfo)


def _first_missing(needed: Iterable[str], cpuinfo: str) -> str | None:
    has = _flags(cpuinfo)
    return next((flag for flag in needed if flag not in has), None)


def _flags(cpuinfo: str) -> frozenset[str]:
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", cpuinfo, re.MULTILINE)
    return frozenset(found[1].split()) if found else frozenset()
