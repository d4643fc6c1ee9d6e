"""Pods seen from below: a container's processes, and the network that its pod has.

Everything on a node of the built-in cluster is a process of this machine, so what a kernel, a debugger or a broken
cable does to a pod can be done from here.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from signal import Signals

from tests.cluster import cgroups
from tests.cluster.cgroups import Cgroups
from tests.cluster.errors import ClusterError
from tests.cluster.processes import run

UNPLUGGED = "unplugged"


def processes(groups: Cgroups, group: str, container: str) -> set[int]:
    """The processes of a container, found by its identifier below the cluster's group."""
    folders = [path for path in (groups.trees()[0] / group).rglob(container) if path.is_dir()]
    return {pid for folder in folders for pid in cgroups.members(groups, str(folder.relative_to(groups.trees()[0])))}


def children(pids: set[int]) -> set[int]:
    """Those that another of them has started."""
    return {pid for pid in pids if _parent(pid) in pids}


def _parent(pid: int) -> int | None:
    """None where the process has ended meanwhile."""
    try:
        return int(Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def send(pids: set[int], what: Signals) -> None:
    """A signal to each; SIGKILL is what the kernel sends when memory runs out, SIGSTOP what a hang looks like."""
    if not pids:
        raise ClusterError("the container has no process: it is not running")
    for pid in pids:
        with suppress(ProcessLookupError):  # a child that ended with its parent
            os.kill(pid, what)


@contextmanager
def unplugged(pid: int, ports: tuple[int, ...]) -> Iterator[None]:
    """For as long as the block lasts, this process's pod gets nothing to these TCP ports and no answer: silence.

    The pod's network outlives the process, which may end of being unplugged; so it is held open from here.
    """
    listed = ", ".join(map(str, ports))
    rules = f"""
        table inet {UNPLUGGED} {{
            chain out {{ type filter hook output priority filter; tcp dport {{ {listed} }} drop; }}
            chain in {{ type filter hook input priority filter; tcp sport {{ {listed} }} drop; }}
        }}"""
    with Path("/proc", str(pid), "ns", "net").open() as network:
        inside = ["nsenter", f"--net=/proc/{os.getpid()}/fd/{network.fileno()}", "nft"]
        run([*inside, "-f", "-"], stdin=rules)
        try:
            yield
        finally:
            run([*inside, "delete", "table", "inet", UNPLUGGED])
