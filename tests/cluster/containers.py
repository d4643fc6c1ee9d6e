"""Pods seen from below: a container's processes, and the network that its pod has.

Everything on a node of the built-in cluster is a process of this machine, so what a kernel, a debugger or a broken
cable does to a pod can be done from here.
"""

import os
from contextlib import suppress
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


def send(pids: set[int], what: Signals) -> None:
    """A signal to each; SIGKILL is what the kernel sends when memory runs out, SIGSTOP what a hang looks like."""
    if not pids:
        raise ClusterError("the container has no process: it is not running")
    for pid in pids:
        with suppress(ProcessLookupError):  # a child that ended with its parent
            os.kill(pid, what)


def refuse(pid: int, ports: tuple[int, ...]) -> None:
    """From now on this process's pod gets nothing to these TCP ports, and no answer: silence, as of a broken cable."""
    listed = ", ".join(map(str, ports))
    rules = f"""
        table inet {UNPLUGGED} {{
            chain out {{ type filter hook output priority filter; tcp dport {{ {listed} }} drop; }}
            chain in {{ type filter hook input priority filter; tcp sport {{ {listed} }} drop; }}
        }}"""
    run(["nsenter", f"--net={_network(pid)}", "nft", "-f", "-"], stdin=rules)


def allow(pid: int) -> None:
    """Undo `refuse`."""
    run(["nsenter", f"--net={_network(pid)}", "nft", "delete", "table", "inet", UNPLUGGED])


def _network(pid: int) -> Path:
    return Path("/proc", str(pid), "ns", "net")
