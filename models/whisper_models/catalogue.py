"""Which models there are by name: the repository each is published in and the commit that was looked at.

A pin changes here, in review, and nowhere else: what a name means does not depend on the day of the download.
Models that are not listed are used by giving their repository and revision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType

from whisper_models.errors import UnknownModel

PREFIX = "whisper-"


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One published model."""

    name: str
    repo: str
    revision: str
    size_bytes: int
    """About what a download takes; the hub's own figures are used once they are known."""
    mel_bins: int = 80
    licence: str = "apache-2.0"

    @property
    def english_only(self) -> bool:
        """Trained on English alone: it has no language tokens and does not translate."""
        return self.name.endswith(".en")

    @property
    def translates(self) -> bool:
        """Trained to translate to English: turbo was tuned on transcription alone and only claims to."""
        return not self.english_only and not self.name.endswith("-turbo")


def _openai(
    name: str, revision: str, megabytes: int, mel_bins: int = 80, licence: str = "apache-2.0"
) -> CatalogueEntry:
    return CatalogueEntry(name, f"openai/{PREFIX}{name}", revision, megabytes * 1_000_000, mel_bins, licence)


CATALOGUE: Mapping[str, CatalogueEntry] = MappingProxyType(
    {
        entry.name: entry
        for entry in (
            _openai("tiny", "169d4a4341b33bc18d8881c4b69c2e104e1cc0af", 151),
            _openai("tiny.en", "87c7102498dcde7456f24cfd30239ca606ed9063", 151),
            _openai("base", "e37978b90ca9030d5170a5c07aadb050351a65bb", 290),
            _openai("base.en", "911407f4214e0e1d82085af863093ec0b66f9cd6", 290),
            _openai("small", "973afd24965f72e36ca33b3055d56a652f456b4d", 967),
            _openai("small.en", "e8727524f962ee844a7319d92be39ac1bd25655a", 967),
            _openai("medium", "abdf7c39ab9d0397620ccaea8974cc764cd0953e", 3056),
            _openai("medium.en", "2e98eb6279edf5095af0c8dedb36bdec0acd172b", 3056),
            _openai("large-v2", "ae4642769ce2ad8fc292556ccea8e901f1530655", 6173),
            _openai("large-v3", "06f233fe06e710322aca913c1bc4249a0d71fce1", 3087, mel_bins=128),
            _openai("large-v3-turbo", "41f01f3fe87f28c78e2fbf8b568835947dd65ed9", 1618, mel_bins=128, licence="mit"),
        )
    }
)


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
    near = get_close_matches(canonical(name), CATALOGUE, n=3)
    hint = f"did you mean {', '.join(near)}?" if near else f"the catalogue has {', '.join(CATALOGUE)}."
    raise UnknownModel(f"the catalogue has no model {name!r}: {hint} Any other model needs its repository and revision")
