"""Says what is wrong."""

from pathlib import Path
from typing import Any


def load(path: Path) -> Any:
    raise ValueError(f"{path.name} has 3 layers instead of 4")
