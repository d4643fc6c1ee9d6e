"""What the processes of a measurement use, read from /proc."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Mapping
from pathlib import Path

from tests.support.processes import cpu_seconds

OURS = "operator"
BENCH = "benchmark"
CONTROL_PLANE = ("kube-apiserver", "etcd", "kube-controller-manager", "kube-scheduler")


def control_plane() -> dict[str, int]:
    """Process identifiers by name: the API server's processes are our children."""
    found = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
            command = (status.parent / "cmdline").read_text().split("\0")[0]
        except OSError:
            continue
        name = Path(command).name
        if name in CONTROL_PLANE and re.search(rf"^PPid:\t{os.getpid()}$", text, re.MULTILINE):
            found[name] = int(status.parent.name)
    return found


class Clock:
    """Seconds of processor time that each process took since this was made; some of them since they began."""

    def __init__(self, processes: Mapping[str, int], since_begun: Container[str] = ()) -> None:
        self._processes = dict(processes)
        self._begun = {name: 0 if name in since_begun else cpu_seconds(pid) for name, pid in processes.items()}

    def passed(self) -> dict[str, float]:
        return {name: cpu_seconds(pid) - self._begun[name] for name, pid in self._processes.items()}
