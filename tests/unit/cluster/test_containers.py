import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cluster import containers
from tests.cluster.cgroups import CgroupsV1
from tests.cluster.errors import ClusterError


def test_a_containers_processes_are_those_of_its_own_group(tmp_path: Path) -> None:
    for name, pids in {"kubepods/burstable/pod1/abc": "11\n12\n", "kubepods/burstable/pod1/pause": "13\n"}.items():
        group = tmp_path / "wc0/node1" / name
        group.mkdir(parents=True)
        (group / "cgroup.procs").write_text(pids)
    assert containers.processes(CgroupsV1([tmp_path]), "wc0", "abc") == {11, 12}
    assert containers.processes(CgroupsV1([tmp_path]), "wc0", "xyz") == set()


def test_a_signal_to_nobody_is_an_error_and_not_a_fault_that_never_was() -> None:
    with pytest.raises(ClusterError, match="not running"):
        containers.send(set(), signal.SIGSTOP)


def test_a_stopped_process_is_stopped_and_a_child_that_has_ended_is_no_error() -> None:
    with subprocess.Popen(["sleep", "60"]) as child, subprocess.Popen(["true"]) as ended:
        ended.wait()
        containers.send({child.pid, ended.pid}, signal.SIGSTOP)
        _, status = os.waitpid(child.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        containers.send({child.pid}, signal.SIGKILL)
