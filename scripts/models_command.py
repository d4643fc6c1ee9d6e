"""`whisper-models` from a checkout, by whichever Python has it: this one, or that of `make setup`."""

import importlib.util
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = ROOT / ".venv"


def python() -> str:
    """The interpreter to run it with; ends the process where there is none yet."""
    if importlib.util.find_spec("whisper_models"):
        return sys.executable
    if not (ENVIRONMENT / ".locked").exists():
        sys.exit(f"whisper-models is not installed yet: run `make setup` in {ROOT}, then this again")
    return str(ENVIRONMENT / "bin" / "python")


if __name__ == "__main__":
    chosen = python()
    os.execv(chosen, [chosen, "-m", "whisper_models.cli", *sys.argv[1:]])  # noqa: S606 - no shell is wanted
