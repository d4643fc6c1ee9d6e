"""What every engine does alike around its decoder: notice a text that goes in circles, and try again warmer."""

from __future__ import annotations

import zlib

_MAX_COMPRESSION = 2.4  # Whisper's own limit
_STEP = 0.2
_HOTTEST = 1.0


def compression_ratio(text: str) -> float:
    """How many times smaller zlib makes a text: above 2.4 it says the same again and again."""
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if data else 0.0


def loops(text: str) -> bool:
    """The same words again and again."""
    return compression_ratio(text) > _MAX_COMPRESSION


def temperatures(first: float) -> list[float]:
    """The first, and warmer ones up to 1 in steps of 0.2."""
    steps = int(max(0.0, _HOTTEST - first) / _STEP + 1e-6)
    return [round(first + _STEP * i, 3) for i in range(steps + 1)]
