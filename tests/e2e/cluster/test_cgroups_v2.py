"""cgroup v2 on the kernel's own tree, which can be mounted beside v1 too: so it is tested on every machine.

What only a machine that has nothing but v2 shows is the kubelet inside such a group.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import cgroups
from tests.cluster.cgroups import CgroupsV2
from tests.cluster.processes import Daemons, run
from tests.support.waiting import wait_until

GROUP = "whisper-test/node1"


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Path]:
    root = tmp_path / "cgroup"
    root.mkdir()
    run(["mount", "-t", "cgroup2", "none", str(root)])
    yield root
    run(["umount", str(root)])


def test_a_group_is_made_with_its_controllers_holds_processes_and_is_ended(tree: Path, tmp_path: Path) -> None:
    groups = CgroupsV2(tree)
    groups.create(GROUP)
    node = tree / GROUP
    assert (node / "cgroup.controllers").read_text() == (tree / "cgroup.controllers").read_text()
    assert (node / "cgroup.subtree_control").read_text() == (node / "cgroup.controllers").read_text()
    # a pod's group is a sibling of the one that holds the node's own processes
    (node / "kubepods").mkdir()
    Daemons(groups.members_file(GROUP), tmp_path)("sleeper", ["sleep", "86399"])
    Daemons(node / "kubepods" / "cgroup.procs", tmp_path)("pod", ["sleep", "86399"])
    wait_until(lambda: len(cgroups.members(groups, GROUP)) == 2, within=60, what="both processes joined")
    cgroups.end(groups, "whisper-test")
    assert not (tree / "whisper-test").exists()
    assert "sleep 86399" not in run(["ps", "-e", "-o", "args"])


def test_a_machine_with_v2_alone_is_recognised(tree: Path) -> None:
    assert isinstance(cgroups.detect(tree), CgroupsV2)


def test_ending_a_group_that_is_not_there_is_no_error(tree: Path) -> None:
    cgroups.end(CgroupsV2(tree), "whisper-never-made")
