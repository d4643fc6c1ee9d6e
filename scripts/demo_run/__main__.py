"""`python3 -m scripts.demo_run`, also as `python3 scripts/demo.py`."""

import sys

from scripts.demo_run.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
