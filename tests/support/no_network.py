"""A process in a network namespace of its own, in which there is no interface but a loopback that is down."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

MAPPED = () if os.geteuid() == 0 else ("--user", "--map-root-user")
"""A namespace of users too gives somebody who is not root the right to make one of networks."""
ALONE = ("unshare", "--net", *MAPPED)
LOOPBACK = ("sh", "-c", 'ip link set lo up && exec "$@"', "sh")


def run_alone(line: Sequence[str], *, loopback: bool = False, seconds: float = 300) -> subprocess.CompletedProcess[str]:
    """Run it to its end; `loopback` for what is a server and its caller in one."""
    whole = [*ALONE, *(LOOPBACK if loopback else ()), *line]
    return subprocess.run(whole, capture_output=True, text=True, timeout=seconds, check=False)
