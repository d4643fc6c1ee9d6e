"""`python -m tests.support.weights --model tiny.en --out DIR`: a real checkpoint as a Hugging Face folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.support.weights import PARCELS, write_hf_folder


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.support.weights", description=__doc__)
    parser.add_argument("--model", choices=sorted(PARCELS), required=True)
    parser.add_argument("--out", type=Path, required=True, help="the folder to fill; made if it is not there")
    arguments = parser.parse_args()
    write_hf_folder(arguments.model, arguments.out)
    print(arguments.out)  # noqa: T201 - the command's answer


if __name__ == "__main__":
    main()
