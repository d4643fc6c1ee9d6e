"""What takes long to make, made once and kept in the cache under a name that changes with its content."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.support.weights import cache_root


def kept(name: str, make: Callable[[Path], None]) -> Path:
    """The folder of this name; `make` fills an empty one if it is not there yet."""
    place = cache_root() / "bench" / name
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".making-") as making:
            made = Path(making) / "made"
            made.mkdir()
            make(made)
            made.rename(place)
    return place
