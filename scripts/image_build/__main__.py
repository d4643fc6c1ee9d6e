"""`python3 -m scripts.image_build`, also as `python3 scripts/images.py`."""

import sys

from scripts.image_build.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
