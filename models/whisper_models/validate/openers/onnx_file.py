"""ONNX Runtime."""

from pathlib import Path
from typing import Any

import onnxruntime


def load(path: Path) -> Any:
    """Open the graph with its weights."""
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
