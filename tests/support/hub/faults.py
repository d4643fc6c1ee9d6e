"""What can be made to go wrong, switched on and off while the server runs."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

Kind = Literal["status", "corrupt", "cut", "stall", "slow", "ignore_range"]
OF_REQUESTS = frozenset({"status", "ignore_range"})
OF_CONTENT = frozenset(get_args(Kind)) - OF_REQUESTS  # met only where a file's bytes are sent, not by a redirect


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong for requests whose path matches."""

    kind: Kind
    path: str = "*"  # a glob over the request's path: "*model.safetensors", "/api/*"
    times: int | None = None  # how often; for good when absent
    status: int = 503  # kind status: what is answered instead
    retry_after: str | None = None  # kind status: the header of that name
    after: int = 0  # kinds cut and stall: body bytes sent before; corrupt: offset of the flipped byte
    rate: int = 1024  # kind slow: bytes a second

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"no fault {self.kind!r}: there are {', '.join(get_args(Kind))}")


class Faults:
    """The faults that are on now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self.changed = threading.Event()  # wakes whoever is stalled

    def replace(self, faults: list[dict[str, Any]]) -> None:
        """Exactly these from now on."""
        new = [Fault(**fault) for fault in faults]
        with self._lock:
            self._faults = new
            self.changed.set()
            self.changed = threading.Event()

    def take(self, path: str, kinds: frozenset[str]) -> list[Fault]:
        """The faults of these kinds that this request meets, each counted as met."""
        with self._lock:
            on = (fault for fault in self._faults if fault.kind in kinds and fault.times != 0)
            met = [fault for fault in on if fnmatchcase(path, fault.path)]
            for fault in met:
                if fault.times is not None:
                    fault.times -= 1
            return met
