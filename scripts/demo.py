"""From nothing to a transcript, and back: `python3 scripts/demo.py up`, `python3 scripts/demo.py down`.

A launcher: the work is in scripts/demo_run/, which imports by the repository's root.
"""

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    runpy.run_module("scripts.demo_run", run_name="__main__", alter_sys=True)
