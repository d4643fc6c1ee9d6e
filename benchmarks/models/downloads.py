"""The downloads: the same repository from the same server on loopback, by our command and by the Hub's own client."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.models.checkpoints import checkpoint, size_bytes
from benchmarks.models.processes import OURS, QUIET, Take, run
from benchmarks.rounds import Limits, Spread, in_turns, ratios
from tests.support.hub import Hub, serve
from tests.support.waiting import wait_until

OUR, CLIENT, SYNCED = "whisper-models", "the Hub's client", "the Hub's client, then sync"
UNDISTURBED, CUT, KILLED = "undisturbed", "line cut at half", "begun again after a kill at half"
REPOSITORY = "bench/whisper"
WEIGHTS = "*model.safetensors"
CLIENT_CALL = """\
import sys
from huggingface_hub import hf_hub_download
paths = [hf_hub_download(sys.argv[1], name, cache_dir=sys.argv[2]) for name in sys.argv[3:]]
"""
SYNC_CALL = """\
import os
for path in paths:
    os.fsync(os.open(path, os.O_RDONLY))
"""
"""What makes the client's files survive a power cut as ours do."""
CALLS = {CLIENT: CLIENT_CALL, SYNCED: CLIENT_CALL + SYNC_CALL}


@dataclass(frozen=True, slots=True)
class Fetched:
    """One download, and the bytes that the server sent for it."""

    take: Take
    sent_mib: float


@dataclass(frozen=True, slots=True)
class Race:
    """All downloads of one repository in one way, by contender and round."""

    model: str
    size_mib: float
    way: str
    fetched: dict[str, list[Fetched]]

    def seconds(self, name: str) -> Spread:
        return Spread.of([one.take.seconds for one in self.fetched[name]])

    def sent_mib(self, name: str) -> float:
        return Spread.of([one.sent_mib for one in self.fetched[name]]).median

    def peak_mib(self, name: str) -> float:
        return max(one.take.peak_mib for one in self.fetched[name])

    def speed(self, against: str) -> Spread:
        """How many times as fast ours is."""
        both = ([one.take.seconds for one in self.fetched[name]] for name in (against, OUR))
        return ratios(*both)


def races(model: str, scratch: Path, limits: Limits) -> list[Race]:
    """Undisturbed; with the line cut at half; and what is left to do for one who was killed at half."""
    source = checkpoint(model, scratch)
    size = size_bytes(source) / 2**20
    with _serving(source, scratch) as line:
        ways: Mapping[str, Callable[[str], Fetched]] = {
            UNDISTURBED: line.whole,
            CUT: line.cut,
            KILLED: line.resumed,
        }
        return [Race(model, size, way, in_turns(_turns(take), limits, time.monotonic)) for way, take in ways.items()]


def _turns(take: Callable[[str], Fetched]) -> dict[str, Callable[[], Fetched]]:
    return {name: partial(take, name) for name in (OUR, *CALLS)}


class Line:
    """A server with one repository, and both clients of it; each download begins with nothing."""

    def __init__(self, hub: Hub, source: Path, scratch: Path) -> None:
        self._hub = hub
        self._files = sorted(path.name for path in source.iterdir())
        self._half = (source / "model.safetensors").stat().st_size // 2
        self._scratch = scratch

    def whole(self, name: str) -> Fetched:
        """Nothing happens on the way."""
        with self._target() as target:
            return self._fetch(name, target)

    def cut(self, name: str) -> Fetched:
        """The connection breaks once, in the middle of the weights."""
        with self._target() as target:
            self._hub.faults.replace([{"kind": "cut", "path": WEIGHTS, "after": self._half, "times": 1}])
            return self._fetch(name, target)

    def resumed(self, name: str) -> Fetched:
        """The first process is killed when half of the weights are there; only the second one is measured."""
        with self._target() as target:
            self._hub.faults.replace([{"kind": "stall", "path": WEIGHTS, "after": self._half}])
            self._hub.requests.clear()
            with _started(self._command(name, target), self._environment()):
                wait_until(lambda: self._sent() >= self._half, within=120, every=0.02, what="half of the weights")
                wait_until(
                    lambda: _written(target) >= 0.8 * self._half, within=120, every=0.02, what="most of it on disk"
                )
            self._hub.faults.replace([])
            return self._fetch(name, target)

    def _fetch(self, name: str, target: Path) -> Fetched:
        self._hub.requests.clear()
        take = run(self._command(name, target), self._environment())
        return Fetched(take, self._sent() / 2**20)

    def _command(self, name: str, target: Path) -> list[str]:
        if call := CALLS.get(name):
            return [sys.executable, "-c", call, REPOSITORY, str(target), *self._files]
        options = ["--models", "bench", "--repo", REPOSITORY, "--endpoint", self._hub.url, "--quiet"]
        return [*OURS, "download", "--root", str(target), *options]

    def _environment(self) -> dict[str, str]:
        return {**QUIET, "HF_ENDPOINT": self._hub.url, "HF_HUB_OFFLINE": "0"}

    def _sent(self) -> int:
        return sum(request["sent"] for request in self._hub.requests)

    @contextmanager
    def _target(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            os.sync()  # what the neighbour left to be written is not this one's to wait for
            yield Path(folder)


@contextmanager
def _serving(source: Path, scratch: Path) -> Iterator[Line]:
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        repository = Path(folder) / REPOSITORY
        repository.parent.mkdir()
        repository.symlink_to(source)
        with serve(Path(folder)) as hub:
            line = Line(hub, source, scratch)
            for name in (OUR, CLIENT):  # the server hashes each file once, and Python compiles each module once
                line.whole(name)
            yield line


@contextmanager
def _started(command: list[str], environment: Mapping[str, str]) -> Iterator[None]:
    nothing = subprocess.DEVNULL
    with subprocess.Popen(command, env=os.environ | environment, stdout=nothing, stderr=nothing) as process:
        try:
            yield
        finally:
            process.kill()


def _written(folder: Path) -> int:
    """Bytes of all files below; those that vanish meanwhile count as none."""
    found = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            found += 0 if path.is_symlink() else path.stat().st_size
    return found
