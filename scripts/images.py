"""Build, list and prune the container images: `python3 scripts/images.py --help`.

A launcher: the work is in scripts/image_build/, which imports by the repository's root.
"""

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    runpy.run_module("scripts.image_build", run_name="__main__", alter_sys=True)
