"""The measuring: the same calls to a pod directly and through the router, in turns, for each kind of request."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from whisper_operator.plan.service.envoy import RouterSettings, Tier

from benchmarks.rounds import Limits, Spread, in_turns
from benchmarks.router.ends import Calls, calls, runtime
from tests.contract.router.proxy import free_ports, running
from tests.support.processes import memory_mib
from tests.support.words import JFK

POD = "127.0.0.2"
DIRECT, ROUTED = "directly", "through the router"
UPLOAD, GET = "upload of 350 kB", "GET of 90 bytes"
KINDS: Mapping[str, Path | None] = {UPLOAD: JFK, GET: None}
ONE, MANY = 1, 32
"""Callers: one waits for nobody else, so that what is added is the router's; many keep every core at work."""


@dataclass(frozen=True, slots=True)
class Heat:
    """All takes of one kind of request with so many callers, by way and round."""

    kind: str
    callers: int
    takes: dict[str, list[Calls]]

    def added(self, percentile: str) -> Spread:
        """Milliseconds that the router adds at a percentile, `p50_ms` or `p99_ms`: the difference within each round."""
        pairs = zip(self.takes[ROUTED], self.takes[DIRECT], strict=True)
        return Spread.of([getattr(routed, percentile) - getattr(direct, percentile) for routed, direct in pairs])

    def spread(self, way: str, value: str) -> Spread:
        return Spread.of([getattr(take, value) for take in self.takes[way]])

    @property
    def failed(self) -> int:
        return sum(take.failed for way in self.takes.values() for take in way)


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything, and the router's memory in MiB: when it was idle, and the most that it had under load."""

    heats: list[Heat]
    idle_mib: float
    peak_mib: float


@dataclass(frozen=True, slots=True)
class _Ways:
    urls: dict[str, str]
    router: int


@contextmanager
def _ways() -> Iterator[_Ways]:
    """A pod, and before it the router with the configuration that the operator gives it."""
    port = free_ports(1)[0]
    settings = RouterSettings(name="speech", chain=(Tier("cpu", (POD,), port),), drain_key="none")
    with (
        tempfile.TemporaryDirectory() as folder,
        runtime(POD, port),
        running(settings, Path(folder)) as proxy,
    ):
        yield _Ways({DIRECT: f"http://{POD}:{port}/", ROUTED: f"{proxy.url}/"}, proxy.process.pid)


def measure(limits: Limits, seconds: float) -> Measured:
    """One heat for each kind and number of callers, in rounds of so many seconds for each way."""
    with _ways() as ways:
        idle = memory_mib(ways.router, "VmRSS")
        heats = [_heat(ways, kind, callers, limits, seconds) for callers in (ONE, MANY) for kind in KINDS]
        return Measured(heats, idle, memory_mib(ways.router))


def _heat(ways: _Ways, kind: str, callers: int, limits: Limits, seconds: float) -> Heat:
    def take(way: str) -> Calls:
        return calls(ways.urls[way], KINDS[kind], callers=callers, seconds=seconds)

    turns = {way: lambda way=way: take(way) for way in ways.urls}
    return Heat(kind, callers, in_turns(turns, limits, time.monotonic))
