"""How many threads inference gets: what the container is allowed, not what the machine has.

A pool larger than the CPU quota is throttled in the middle of every product, which is slower than one thread.
"""

from __future__ import annotations

import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def available_threads(root: Path = _CGROUP) -> int:
    """The cgroup's CPU limit (v2, else v1), rounded up, within the CPUs that this process may run on; at least 1."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota_v2(root / "cpu.max") or _quota_v1(root / "cpu")
    return max(1, min(allowed, -int(-quota // 1) if quota else allowed))


def _quota_v2(file: Path) -> float | None:
    words = _words(file)
    if len(words) != 2 or words[0] == "max":  # noqa: PLR2004 - "quota period"
        return None
    return _share(words[0], words[1])


def _quota_v1(folder: Path) -> float | None:
    quota, period = _words(folder / "cpu.cfs_quota_us"), _words(folder / "cpu.cfs_period_us")
    return _share(quota[0], period[0]) if quota and period else None


def _share(quota: str, period: str) -> float | None:
    """CPUs, or None where there is no limit (v1 says -1) or the files hold something else."""
    try:
        cpus = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):
        return None
    return cpus if cpus > 0 else None


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []
