"""A runtime that is told to stop while it is still loading its libraries stops at once, also as process 1."""

import signal
import subprocess
import sys

PROCESS_1 = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
CODE = """
import sys, time
class Slow:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "whisper_cpu.cli":
            print("loading", flush=True)
            time.sleep(60)
sys.meta_path.insert(0, Slow)
from whisper_cpu.start import main
main()
"""


def test_sigterm_during_the_imports_ends_process_1() -> None:
    with subprocess.Popen([*PROCESS_1, sys.executable, "-c", CODE], stdout=subprocess.PIPE, text=True) as unshare:
        assert unshare.stdout
        assert unshare.stdout.readline() == "loading\n"
        children = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(unshare.pid)], capture_output=True, text=True, check=True
        )
        subprocess.run(["kill", f"-{signal.SIGTERM.value}", children.stdout.strip()], check=True)

        assert unshare.wait(30) == 0
