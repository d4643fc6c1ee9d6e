"""Arrays as ONNX Runtime takes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime


def value(array: np.ndarray[Any, Any]) -> Any:
    """An OrtValue over the array's own memory: what is written to the array is what the graph reads."""
    return onnxruntime.OrtValue.ortvalue_from_numpy(array)
