"""What every kind of source is to a download: something that says what it has, and then hands over the files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from whisper_models.artifact import PREMADE, FileEntry, Format, Manifest, Source, Variant
from whisper_models.download.retry import Patience
from whisper_models.download.selection import RemoteFile, require_shards
from whisper_models.progress import Progress
from whisper_models.shards import INDEX

Choose = Callable[[str, Mapping[str, RemoteFile]], list[RemoteFile]]
"""(what the source is called, its files by path) → those to take, in this order; raises where it lacks some."""


@dataclass(frozen=True, slots=True)
class Errand:
    """Where to put which files, and who hears of it."""

    variant: Variant
    folder: Path
    choose: Choose
    reuse: Callable[[dict[str, int]], None]
    progress: Progress
    patience: Patience


class Offer(Protocol):
    """What a source has at one moment."""

    @property
    def published(self) -> Source:
        """As a manifest names it; the same again means that nothing is new."""

    def fill(self, errand: Errand) -> Manifest:
        """Put the chosen files into the folder, verified; the manifest that describes them."""


class ModelSource(Protocol):
    """Anything that models can be had from."""

    @property
    def known(self) -> Source | None:
        """What it will offer, where that is certain without asking."""

    def offer(self, variant: Variant, patience: Patience) -> Offer:
        """Ask what it has."""


def described(errand: Errand, entries: list[FileEntry], source: Source) -> Manifest:
    """The manifest of files that were taken as they are."""
    original = errand.variant.format in (Format.PYTORCH, Format.AUXILIARY)
    tools = {} if original else {PREMADE: source.repo}
    return Manifest.describing(errand.variant, entries, source=source, tools=tools)


def check_index(folder: Path, name: str, present: set[str]) -> None:
    """Refuse a set of shards that can never be whole, once its index has come."""
    if name == INDEX:
        require_shards((folder / INDEX).read_bytes(), present)
