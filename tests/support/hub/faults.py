"""What can be made to go wrong, switched on and off while the server runs."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

Kind = Literal[
    "status",  # this status instead of an answer
    "delay",  # so many seconds of silence before the first byte
    "loop",  # a redirect to the same address
    "ignore_range",  # the whole file with 200, whatever part was asked for
    "wrong_range",  # another part than was asked for
    "bare",  # as from the poorest of mirrors: no length, no ETag, no ranges, nothing of the Hub's own headers
    "gzip",  # the bytes packed, though nobody asked for it
    "corrupt",  # one bit turned over
    "cut",  # the connection ends too early
    "short",  # the answer ends too early, and says that this is all
    "stall",  # nothing more comes
    "slow",  # little comes
]
OF_CONTENT = frozenset({"corrupt", "cut", "short", "stall", "slow"})  # met only where a file's bytes are sent
OF_REQUESTS = frozenset(get_args(Kind)) - OF_CONTENT


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong for requests whose path matches."""

    kind: Kind
    path: str = "*"  # a glob over the request's path: "*model.safetensors", "/api/*"
    times: int | None = None  # how often; for good when absent
    status: int = 503  # kind status: what is answered instead
    retry_after: str | None = None  # kind status: the header of that name
    code: str = ""  # kind status: what the Hub calls it, "GatedRepo"
    seconds: float = 0.0  # kind delay
    after: int = 0  # kinds cut, short and stall: the file's bytes sent before; corrupt: offset of the flipped byte
    each: bool = False  # kind cut: `after` counts from where the answer begins, so that a line fails again and again
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
