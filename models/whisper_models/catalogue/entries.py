"""What a catalogue says of a model, and how its file is read: bounded, and refused as a whole where it is wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from whisper_models.artifact import MODEL_NAME, OFFERED, FileEntry, Format, Precision

LARGEST = 1 << 20
"""Bytes of a catalogue; the one that comes with this package has a twentieth of that."""

Name = Annotated[str, Field(pattern=rf"^{MODEL_NAME.pattern}$")]
AuxiliaryName = Annotated[str, Field(pattern=rf"^{MODEL_NAME.pattern}/{MODEL_NAME.pattern}$")]
Repo = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,95}/[A-Za-z0-9][A-Za-z0-9_.-]{0,95}$")]
Commit = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Bytes = Annotated[int, Field(gt=0, le=1 << 40)]
Words = Annotated[str, Field(max_length=200)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PublishedFile(_Frozen):
    """One file of a repository that is read here, and what it is called in the store."""

    path: Annotated[str, Field(max_length=512)]
    name: Annotated[str, Field(max_length=512)] = ""
    size: Bytes | None = None
    sha256: Sha256 | None = None

    @model_validator(mode="before")
    @classmethod
    def _named_like_its_path(cls, given: object) -> object:
        return {"name": given.get("path"), **given} if isinstance(given, dict) else given

    @field_validator("path", "name")
    @classmethod
    def _stays_inside(cls, path: str) -> str:
        return FileEntry(path=path, size=0, sha256="0" * 64).path


Files = Annotated[tuple[PublishedFile, ...], Field(min_length=1, max_length=64)]


def _digests(files: tuple[PublishedFile, ...]) -> Mapping[str, str]:
    return {file.path: file.sha256 for file in files if file.sha256}


class PublishedVariant(_Frozen):
    """A format of a model that somebody made and published, so that nobody needs to convert it again."""

    format: Format
    precision: Precision
    repo: Repo
    revision: Commit
    files: Files

    @model_validator(mode="after")
    def _is_one_of_ours(self) -> PublishedVariant:
        if self.precision not in OFFERED[self.format]:
            raise ValueError(f"{self.format} {self.precision} is no variant")
        return self

    @property
    def digests(self) -> Mapping[str, str]:
        """sha256 by path, of those files for which one was published."""
        return _digests(self.files)


class CatalogueEntry(_Frozen):
    """One published model."""

    name: Name
    repo: Repo
    revision: Commit
    size_bytes: Bytes
    """About what a download takes; the hub's own figures are used once they are known."""
    mel_bins: Annotated[int, Field(gt=0, le=1024)] = 80
    licence: Words
    about: Words = ""
    transcribes_only: bool = False
    """Not trained to translate, whatever tokens it knows: turbo was tuned on transcription alone."""
    digests: Annotated[Mapping[str, Sha256], Field(alias="sha256", max_length=64)] = Field(default_factory=dict)
    """sha256 by path, of those files for which one was published."""
    premade: Annotated[tuple[PublishedVariant, ...], Field(max_length=64)] = ()

    @property
    def english_only(self) -> bool:
        """Trained on English alone: it has no language tokens and does not translate."""
        return self.name.endswith(".en")

    @property
    def translates(self) -> bool:
        """Trained to translate to English."""
        return not self.english_only and not self.transcribes_only

    def published(self, form: Format, precision: Precision) -> PublishedVariant | None:
        """The variant that can be had without converting, if somebody published it."""
        fits = (one for one in self.premade if (one.format, one.precision) == (form, precision))
        return next(fits, None)


class AuxiliaryEntry(_Frozen):
    """One model around transcription: which files of a repository a runtime reads."""

    name: AuxiliaryName
    repo: Repo
    revision: Commit
    size_bytes: Bytes
    licence: Words
    about: Words = ""
    gated: bool = False
    """The hub gives it only to people who have accepted its terms."""
    files: Files

    @property
    def digests(self) -> Mapping[str, str]:
        """sha256 by path, of those files for which one was published."""
        return _digests(self.files)


class Catalogue(_Frozen):
    """The whole file."""

    models: Annotated[tuple[CatalogueEntry, ...], Field(max_length=1000)] = ()
    auxiliaries: Annotated[tuple[AuxiliaryEntry, ...], Field(max_length=1000)] = ()

    @model_validator(mode="after")
    def _names_each_once(self) -> Catalogue:
        names = [entry.name for entry in self.models] + [entry.name for entry in self.auxiliaries]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"{', '.join(sorted(twice))} is there more than once")
        return self


def read_catalogue(content: bytes) -> Catalogue:
    """Read a catalogue's TOML.

    Raises:
        ValueError: with the place and the cause, in one line.
    """
    if len(content) > LARGEST:
        raise ValueError(f"a catalogue has at most {LARGEST} bytes, this one {len(content)}")
    try:
        return Catalogue.model_validate(tomllib.loads(content.decode()))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{where or 'the catalogue'}: {first['msg']}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError(f"not TOML: {error}") from error
