"""`python -I -S timed.py LOG COMMAND…`: how long a command took, and the most memory that any of its processes held.

A small process of its own, since the kernel counts for a program also what its parent held when it started it.
"""

import json
import os
import subprocess
import sys
import time


def main() -> None:
    with open(sys.argv[1], "wb") as log:  # noqa: PTH123 - without pathlib this process stays small
        begun = time.perf_counter()
        process = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    answer = {
        "code": process.returncode,
        "seconds": seconds,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_kib": usage.ru_maxrss,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
