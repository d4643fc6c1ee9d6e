"""A cluster's processes are the members of its cgroup, so that all are found again whatever happened to us.

cgroup v1 has a tree for each controller, v2 one for all with controllers switched on level by level; a v2 group with
controllers for its children has no processes of its own, hence the group `own` beside them.
"""

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Protocol

from tests.cluster.errors import ClusterError
from tests.cluster.processes import wait_until

ROOT = Path("/sys/fs/cgroup")
END_WITHIN = 20


class Cgroups(Protocol):
    """Groups by relative path, e.g. `wc0/node1`."""

    def create(self, group: str) -> None: ...

    def members_file(self, group: str) -> Path:
        """The file through which a process joins the group."""

    def trees(self) -> list[Path]:
        """Where a group's folders are; the processes are counted in the first."""


def detect(root: Path = ROOT, mounts: Path = Path("/proc/self/mounts")) -> Cgroups:
    if (root / "cgroup.controllers").exists():
        return CgroupsV2(root)
    lines = (line.split() for line in mounts.read_text().splitlines())
    trees = sorted(Path(at) for _, at, kind, *_ in lines if kind == "cgroup" and Path(at).parent == root)
    if not any(tree.name == "pids" for tree in trees):
        raise ClusterError(f"no cgroups at {root}: mount cgroup2 there (every systemd since 2021 does)")
    return CgroupsV1(sorted(trees, key=lambda tree: tree.name != "pids"))


class CgroupsV1:
    """A tree for each controller; processes are tracked in `pids`, which the kubelet needs anyway."""

    def __init__(self, trees: list[Path]) -> None:
        self._trees = trees

    def trees(self) -> list[Path]:
        return self._trees

    def create(self, group: str) -> None:
        for tree in self._trees:
            for folder in _levels(tree, group):
                folder.mkdir(exist_ok=True)
                for file in ("cpuset.cpus", "cpuset.mems"):  # a new cpuset is empty, and then takes no process
                    if (folder / file).exists() and not (folder / file).read_text().strip():
                        (folder / file).write_text((folder.parent / file).read_text())

    def members_file(self, group: str) -> Path:
        return self._trees[0] / group / "cgroup.procs"


class CgroupsV2:
    """One tree for all controllers."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def trees(self) -> list[Path]:
        return [self._root]

    def create(self, group: str) -> None:
        self._free_the_root()
        folders = _levels(self._root, group)
        _delegate(self._root)
        for folder in folders:
            folder.mkdir(exist_ok=True)
            _delegate(folder)
        (folders[-1] / "own").mkdir(exist_ok=True)

    def members_file(self, group: str) -> Path:
        return self._root / group / "own" / "cgroup.procs"

    def _free_the_root(self) -> None:
        """In a container the visible root is a group like any other: it cannot delegate while it has processes."""
        if not (self._root / "cgroup.type").exists():
            return  # the machine's true root
        (self._root / "init").mkdir(exist_ok=True)
        for pid in (self._root / "cgroup.procs").read_text().split():
            (self._root / "init" / "cgroup.procs").write_text(pid)


def _levels(tree: Path, group: str) -> list[Path]:
    """The folder of each level of a group, outermost first."""
    parts = Path(group).parts
    return [tree.joinpath(*parts[:depth]) for depth in range(1, len(parts) + 1)]


def _delegate(folder: Path) -> None:
    """Give the folder's controllers to the groups below it."""
    for controller in (folder / "cgroup.controllers").read_text().split():
        (folder / "cgroup.subtree_control").write_text(f"+{controller}")


def members(cgroups: Cgroups, group: str) -> set[int]:
    """Every process of a group and of those below it."""
    files = (cgroups.trees()[0] / group).rglob("cgroup.procs")
    return {int(pid) for file in files for pid in _read(file)}


def end(cgroups: Cgroups, group: str) -> None:
    """Kill every process of a group, then remove it."""

    def all_gone() -> bool:
        for pid in (running := members(cgroups, group)):
            _kill(pid)
        return not running

    wait_until(all_gone, within=END_WITHIN, what=f"the processes of cgroup {group} end")
    for tree in cgroups.trees():
        wait_until(partial(_removed, tree / group), within=END_WITHIN, what=f"{tree / group} can be removed")


def _removed(folder: Path) -> bool:
    for path in [*_below(folder), folder]:
        try:
            path.rmdir()
        except FileNotFoundError:
            continue
        except OSError:
            return False  # the kernel still counts a process that has just ended
    return True


def _below(folder: Path) -> Iterator[Path]:
    """The groups below a folder, innermost first."""
    for at, names, _ in os.walk(folder, topdown=False):
        yield from (Path(at) / name for name in names)


def _read(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []  # the group went away while we looked


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
