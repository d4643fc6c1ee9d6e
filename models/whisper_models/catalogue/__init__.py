"""Which models there are by name: the repository each is published in and the commit that was looked at.

The entries are in `models.toml`. Models that are not listed are used by giving their repository and revision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from importlib.resources import files
from types import MappingProxyType

from whisper_models.catalogue.entries import (
    AuxiliaryEntry,
    CatalogueEntry,
    PublishedFile,
    PublishedVariant,
    read_catalogue,
)
from whisper_models.errors import UnknownModel

__all__ = [
    "AUXILIARIES",
    "CATALOGUE",
    "PREFIX",
    "AuxiliaryEntry",
    "CatalogueEntry",
    "PublishedFile",
    "PublishedVariant",
    "canonical",
    "lookup",
    "lookup_auxiliary",
]

PREFIX = "whisper-"

_OURS = read_catalogue(files(__package__).joinpath("models.toml").read_bytes())

CATALOGUE: Mapping[str, CatalogueEntry] = MappingProxyType({entry.name: entry for entry in _OURS.models})
AUXILIARIES: Mapping[str, AuxiliaryEntry] = MappingProxyType({entry.name: entry for entry in _OURS.auxiliaries})
"""The models around transcription, by kind and name: vad/silero."""


def canonical(name: str) -> str:
    """The name that the store and the catalogue use: `whisper-tiny.en` and `tiny.en` are one model."""
    return name.removeprefix(PREFIX)


def lookup(name: str) -> CatalogueEntry:
    """The entry behind a name.

    Raises:
        UnknownModel: with the nearest names, since most unknown ones are misspelt.
    """
    entry = CATALOGUE.get(canonical(name))
    if entry is not None:
        return entry
    hint = _nearest(canonical(name), CATALOGUE)
    raise UnknownModel(f"the catalogue has no model {name!r}: {hint} Any other model needs its repository and revision")


def lookup_auxiliary(name: str) -> AuxiliaryEntry:
    """The entry behind the name of a model around transcription; the kind alone will do where there is one of it.

    Raises:
        UnknownModel: with the nearest names, or those of that kind.
    """
    of_kind = [entry for entry in AUXILIARIES if entry.partition("/")[0] == name]
    entry = AUXILIARIES.get(of_kind[0] if len(of_kind) == 1 else name)
    if entry is not None:
        return entry
    hint = f"say which: {', '.join(of_kind)}." if of_kind else _nearest(name, AUXILIARIES)
    raise UnknownModel(f"the catalogue has no auxiliary model {name!r}: {hint}")


def _nearest(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, n=3)
    return f"did you mean {', '.join(near)}?" if near else f"the catalogue has {', '.join(known)}."
