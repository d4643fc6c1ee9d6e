"""The safetensors library."""

from pathlib import Path
from typing import Any

from safetensors import safe_open


def load(path: Path) -> Any:
    """Read the header and see that it describes the file."""
    with safe_open(path, framework="numpy") as tensors:
        return tensors.keys()
