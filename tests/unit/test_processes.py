"""What a process uses counts its children: an engine may compute in one."""

import os
import subprocess
import sys

from tests.support.processes import tree, use

BUSY = """
import subprocess, sys, time
begun = time.process_time()
while time.process_time() - begun < 0.3: pass
held = bytearray(50 << 20)
if sys.argv[1:]:
    below = subprocess.Popen([sys.executable, *sys.orig_argv[1:-1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    below.stdout.read(1)
sys.stdout.write("r")
sys.stdout.flush()
sys.stdin.read()
"""


def test_time_and_memory_are_summed_over_a_process_and_its_children() -> None:
    command = [sys.executable, "-S", "-c", BUSY, "with a child"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.read(1) == b"r"
        processes, used = list(tree(running.pid)), use(running.pid)
        running.communicate()
    assert len(processes) == 2
    assert 0.5 < used.cpu_seconds < 30
    assert 100 < used.peak_mib < 300


def test_a_process_without_children_is_alone() -> None:
    assert next(tree(os.getpid())) == os.getpid()
