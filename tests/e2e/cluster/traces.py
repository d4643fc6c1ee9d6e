"""What a cluster could leave on this machine, counted."""

import os
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

from tests.cluster import cgroups, settings, slots
from tests.cluster.addresses import Addresses

PROC = Path("/proc")
SHARED = (Path("/run/netns"), Path("/tmp/hostpath_pv"))
"""The last cluster that goes removes these."""


@dataclass(frozen=True)
class Traces:
    """Each by its identity, so that a difference says what it is.

    What belongs to other clusters does not count. Nor does what someone else starts meanwhile: what a cluster could
    leave has lost its parent, and is one of the programs in the cache or lives in namespaces that are not ours.
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
        orphans = [pid for pid in _pids() if pid not in others and _parent(pid) == 1 and _could_be_a_clusters(pid)]
        return cls(
            processes=frozenset(f"{pid} {_command(pid)}" for pid in orphans),
            mounts=_nobodys((PROC / "self" / "mountinfo").read_text().splitlines()),
            links=_nobodys(line.split()[0] for line in _lines("ip", "-brief", "link")),
            namespaces=frozenset(name for pid in orphans for name in _namespaces(pid))
            | _nobodys(line.split()[0] for line in _lines("ip", "netns")),
            cgroups=_nobodys(str(path) for tree in cgroups.detect().trees() for path in tree.rglob("*/")),
            routes=_nobodys(_lines("ip", "route")),
            tables=_nobodys(_lines("nft", "list", "tables")),
            folders=frozenset(str(path) for path in SHARED if path.exists() and not slots.held()),
        )

    def more_than(self, before: "Traces") -> dict[str, set[str]]:
        """What is there now and was not before, by kind; empty where nothing was left."""
        found = {f.name: set(getattr(self, f.name) - getattr(before, f.name)) for f in fields(self)}
        return {name: extra for name, extra in found.items() if extra}


def _of_other_clusters() -> set[int]:
    groups = cgroups.detect()
    return {pid for slot in slots.held() for pid in cgroups.members(groups, Addresses(slot).prefix)}


def _nobodys(found: Iterable[str]) -> frozenset[str]:
    """Without what carries the name of a cluster that is up."""
    named = [re.compile(rf"\b{Addresses(slot).prefix}\b") for slot in slots.held()]
    return frozenset(line for line in found if not any(name.search(line) for name in named))


def _pids() -> list[int]:
    return [int(path.name) for path in PROC.iterdir() if path.name.isdigit()]


def _parent(pid: int) -> int:
    try:
        stat = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return -1  # it has ended meanwhile
    return int(stat.rsplit(")", 1)[1].split()[1])


def _could_be_a_clusters(pid: int) -> bool:
    try:
        program = (PROC / str(pid) / "exe").readlink()
    except OSError:
        return False  # it has ended, and only its parent has not noticed yet
    return program.is_relative_to(settings.read().cache) or not _namespaces(pid) <= _namespaces(os.getpid())


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
