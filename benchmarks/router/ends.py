"""The two ends that the router stands between, as processes: a runtime that answers at once, and its callers."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.waiting import wait_until
from tests.support.weights import cache_root

SOURCE = Path(__file__).parent / "load"


@dataclass(frozen=True, slots=True)
class Calls:
    """What callers in closed loops measured together."""

    p50_ms: float
    p99_ms: float
    requests_per_second: float
    answered: int
    failed: int


def program() -> Path:
    """Built from its source with Go, which the cluster needs anyway; kept by the source's digest."""
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(SOURCE.iterdir()))).hexdigest()[:12]
    target = cache_root() / "bench" / f"router-load-{digest}"
    if not target.exists():
        subprocess.run(["go", "build", "-o", str(target), "."], cwd=SOURCE, check=True)
    return target


@contextlib.contextmanager
def runtime(address: str, port: int) -> Iterator[None]:
    """Listening until the block ends."""
    with subprocess.Popen([str(program()), "serve", f"{address}:{port}"]) as process:
        try:
            wait_until(lambda: _listens(address, port), within=30, every=0.05, what="the runtime's end listens")
            yield
        finally:
            process.kill()


def _listens(address: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0


def calls(url: str, body: Path | None, *, callers: int, seconds: float) -> Calls:
    """Call for so long, each caller on a connection of its own."""
    upload = [] if body is None else ["-body", str(body)]
    command = [str(program()), "call", url, *upload, "-callers", str(callers), "-seconds", str(seconds)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return Calls(**json.loads(said))
