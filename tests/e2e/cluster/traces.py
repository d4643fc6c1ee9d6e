"""What a cluster could leave on this machine, counted."""

import re
import subprocess
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

from tests.cluster import cgroups, slots
from tests.cluster.addresses import Addresses

PROC = Path("/proc")


@dataclass(frozen=True)
class Traces:
    """Each by its identity, so that a difference says what it is.

    Other clusters' processes and cgroups do not count. Nor does what other people's programs start meanwhile: what a
    cluster could leave behind has lost its parent, and is a child of process 1.
    """

    processes: frozenset[str]
    mounts: frozenset[str]
    links: frozenset[str]
    namespaces: frozenset[str]
    cgroups: frozenset[str]
    routes: frozenset[str]
    tables: frozenset[str]
    folders: frozenset[str]

    @classmethod
    def look(cls) -> Self:
        others = _of_other_clusters()
        orphans = [pid for pid in _pids() if pid not in others and _parent(pid) in (0, 1)]
        return cls(
            processes=frozenset(f"{pid} {_command(pid)}" for pid in orphans),
            mounts=frozenset((PROC / "self" / "mountinfo").read_text().splitlines()),
            links=_first_words("ip", "-oneline", "link"),
            namespaces=frozenset(name for pid in orphans for name in _namespaces(pid)) | _first_words("ip", "netns"),
            cgroups=_cgroups(),
            routes=_first_words("ip", "route"),
            tables=frozenset(_lines("nft", "list", "tables")),
            folders=frozenset(str(path) for path in (Path("/run/netns"), Path("/tmp/hostpath_pv")) if path.exists()),
        )

    def more_than(self, before: "Traces") -> dict[str, set[str]]:
        """What is there now and was not before, by kind; empty where nothing was left."""
        found = {f.name: set(getattr(self, f.name) - getattr(before, f.name)) for f in fields(self)}
        return {name: extra for name, extra in found.items() if extra}


def _of_other_clusters() -> set[int]:
    groups = cgroups.detect()
    return {pid for slot in slots.held() for pid in cgroups.members(groups, Addresses(slot).prefix)}


def _cgroups() -> frozenset[str]:
    others = tuple(Addresses(slot).prefix for slot in slots.held())
    trees = cgroups.detect().trees()
    found = ((tree, path.relative_to(tree)) for tree in trees for path in tree.rglob("*/"))
    return frozenset(f"{tree}/{path}" for tree, path in found if path.parts[0] not in others)


def _pids() -> list[int]:
    return [int(path.name) for path in PROC.iterdir() if path.name.isdigit()]


def _parent(pid: int) -> int:
    try:
        stat = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return -1  # it has ended meanwhile
    return int(stat.rsplit(")", 1)[1].split()[1])


def _command(pid: int) -> str:
    try:
        return (PROC / str(pid) / "comm").read_text().strip()
    except OSError:
        return ""


def _namespaces(pid: int) -> set[str]:
    try:
        return {str(path.readlink()) for path in (PROC / str(pid) / "ns").iterdir()}
    except OSError:
        return set()


def _lines(*command: str) -> list[str]:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def _first_words(*command: str) -> frozenset[str]:
    return frozenset(re.split(r"\s+", line)[0] for line in _lines(*command))
