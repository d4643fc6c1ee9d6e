"""Compiled models kept for the next start: on an NPU a cold compile takes minutes.

OpenVINO reads and writes its blobs in a folder that it is given (CACHE_DIR), without regard to other processes. So each
opening gets a private folder with hard links to what is there, and what it made is published by one rename: many pods
can share the cache, and none ever reads what another is writing. An entry is named after all that a blob depends on,
and says the digest of each of its files, so that a damaged one is noticed, told of and compiled anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from whisper_models.store.files import sha256_of

from whisper_npu.engine.messages import FoundDevice

_LOG = logging.getLogger(__name__)
_MANIFEST = "blobs.json"
_PRIVATE = ".private-"
_GRAPHS = 1
"""Changes when what `child.surgery` makes of a model's graphs changes."""
_ABANDONED = 24 * 3600.0
"""Seconds after which a private folder belongs to a process that is gone: no device may compile for so long."""


class Source(StrEnum):
    """Where a compiled model came from."""

    NONE = "none"  # no cache, or it cannot be written
    HIT = "hit"
    MISS = "miss"
    DAMAGED = "damaged"  # what was kept is not what was written: compiled anew
    REJECTED = "rejected"  # what was kept is whole, but OpenVINO did not take it: compiled anew


def entry_name(device: FoundDevice, version: str, digest: str | None, properties: Mapping[str, Any]) -> str:
    """All that a blob depends on: equal names for equal blobs, and only for these."""
    kind_of_device = [device.name, device.description, device.driver, device.traits]
    facts = [*kind_of_device, version, digest, _GRAPHS, sorted(properties.items())]
    kind = device.name.partition(".")[0].lower()
    return f"{kind}-{hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()[:32]}"


@dataclass
class Opening:
    """The private folder of one opening, and where its blobs came from once it is over."""

    folder: Path | None
    source: Source = Source.NONE


class BlobCache:
    """Entries under one folder, of at most `capacity` bytes together."""

    def __init__(self, root: Path, capacity: int) -> None:
        self.root, self.capacity = root, capacity

    @contextlib.contextmanager
    def opening(self, name: str) -> Iterator[Opening]:
        """A folder for OpenVINO's blobs; what it holds at the end is kept, unless an error ends it."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            private = Path(tempfile.mkdtemp(prefix=_PRIVATE, dir=self.root))
        except OSError as error:
            _LOG.warning("compiled models are not kept: %s", error)
            yield Opening(None)
            return
        try:
            opening = Opening(private, self._link(name, private))
            given = _listing(private)
            yield opening
            self._keep(name, private, opening, given)
        finally:
            shutil.rmtree(private, ignore_errors=True)

    def _link(self, name: str, private: Path) -> Source:
        """Put an entry's blobs into a private folder, if they are what was written."""
        entry = self.root / name
        try:
            recorded: dict[str, str] = json.loads((entry / _MANIFEST).read_text())
            for file, digest in recorded.items():
                _link_sound(entry / file, private / file, digest)
        except FileNotFoundError as error:
            if not entry.exists():
                return Source.MISS
            damage: Exception = error
        except (OSError, ValueError, AttributeError, TypeError) as error:
            damage = error
        else:
            return Source.HIT
        _LOG.warning("the compiled model in %s is damaged and is compiled anew: %s", entry, damage)
        for file in _listing(private):
            (private / file).unlink()
        return Source.DAMAGED

    def _keep(self, name: str, private: Path, opening: Opening, given: Mapping[str, tuple[int, int]]) -> None:
        """Publish what is new, and drop what has not been used for longest."""
        made = _listing(private)
        if opening.source is Source.HIT and made != given:
            opening.source = Source.REJECTED
        try:
            if opening.source is Source.HIT:
                os.utime(self.root / name / _MANIFEST)
            elif made:
                self._publish(name, private)
            else:
                opening.source = Source.NONE
            self._drop_oldest(keep=name)
        except OSError as error:
            _LOG.warning("the compiled model is not kept: %s", error)
            opening.source = Source.NONE if opening.source is Source.MISS else opening.source

    def _publish(self, name: str, private: Path) -> None:
        whole = Path(tempfile.mkdtemp(prefix=_PRIVATE, dir=self.root))
        for file in _listing(private):
            os.link(private / file, whole / file)
        manifest = {file: sha256_of(whole / file) for file in _listing(whole)}
        (whole / _MANIFEST).write_text(json.dumps(manifest))
        whole.chmod(0o755)
        self._remove(self.root / name)
        try:
            whole.rename(self.root / name)
        except OSError:  # another pod was faster: its entry is as good
            shutil.rmtree(whole, ignore_errors=True)

    def _remove(self, entry: Path) -> None:
        """Out of sight at once, then off the disk; who has linked its blobs keeps them."""
        aside = Path(tempfile.mkdtemp(prefix=_PRIVATE, dir=self.root)) / "removed"
        with contextlib.suppress(FileNotFoundError):
            entry.rename(aside)
        shutil.rmtree(aside.parent, ignore_errors=True)

    def _drop_oldest(self, keep: str) -> None:
        for left in self.root.glob(f"{_PRIVATE}*"):
            with contextlib.suppress(OSError):
                if time.time() - left.stat().st_mtime > _ABANDONED:
                    shutil.rmtree(left, ignore_errors=True)
        entries = sorted(self.root.glob(f"*/{_MANIFEST}"), key=_used, reverse=True)
        room = self.capacity
        for manifest in sorted(entries, key=lambda one: one.parent.name != keep):
            room -= sum(size for size, _ in _listing(manifest.parent).values())
            if room < 0 and manifest.parent.name != keep:
                _LOG.info("dropped the compiled model in %s: the cache is full", manifest.parent)
                self._remove(manifest.parent)


def _link_sound(kept: Path, private: Path, digest: str) -> None:
    os.link(kept, private)
    if sha256_of(private) != digest:
        raise ValueError(f"{kept.name} is not what was written")


def _used(manifest: Path) -> float:
    try:
        return manifest.stat().st_mtime
    except FileNotFoundError:  # removed by another pod
        return 0.0


def _listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Each file's size and inode: a blob that was written anew has another inode."""
    try:
        files = [(entry.name, entry.stat()) for entry in os.scandir(folder) if entry.name != _MANIFEST]
    except FileNotFoundError:
        return {}
    return {name: (stat.st_size, stat.st_ino) for name, stat in sorted(files)}
