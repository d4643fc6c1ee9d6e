"""Which variants a set asks for, each with the source it comes from and the digest that stands for both."""

from collections.abc import Iterator
from dataclasses import dataclass

from whisper_models.catalogue import AuxiliaryEntry, CatalogueEntry, lookup, lookup_auxiliary
from whisper_models.errors import UnknownModel

from whisper_operator.api.modelset import ModelSet, ModelSpec
from whisper_operator.plan import names
from whisper_operator.plan.modelset.sources import Origin, origin

BASE_FORMAT = "pytorch"
AUXILIARY_FORMAT = "auxiliary"
STORED = "stored"
"""The precision of what is kept as it was published."""
CONVERTED = "converted"
"""Told apart from the same variant as others publish it: one that was taken is no conversion."""
ORIGINAL_FORMATS = (BASE_FORMAT, AUXILIARY_FORMAT)
"""What is downloaded and served, or converted, as it was published."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One variant that should exist."""

    model: str
    format: str
    precision: str
    claim: str
    """Name of the claim that it lies on."""
    input: str
    """Changes when what it is made from does, or the claim it lies on."""
    source: Origin
    size_bytes: int | None
    """About how large its original is, where the catalogue knows."""
    may_change: bool = False
    """Whether its source may mean another content tomorrow."""
    is_taken: bool = False
    """Whether it is taken ready-made where that is to be had: its source is the catalogue's, which knows who publishes
    it, or a folder on a claim, which may have it; and the set does not say Never."""
    otherwise: str | None = None
    """What `input` would be with the other `readyMade`, where that matters: somebody may have it."""
    unknown: str | None = None
    """Why it cannot be made: the model is in no catalogue and has no source."""

    @property
    def is_base(self) -> bool:
        """What the other variants of the model are made from."""
        return self.format == BASE_FORMAT

    @property
    def is_downloaded(self) -> bool:
        """Not converted."""
        return self.format in ORIGINAL_FORMATS

    @property
    def key(self) -> tuple[str, str, str]:
        """What the status lists it by."""
        return self.model, self.format, self.precision


def wanted_variants(models: ModelSet, claim_name: str, claim_uid: str) -> tuple[Wanted, ...]:
    """Every variant of the set: what is downloaded first, because all else is made from it."""
    place = _Place(models, claim_name, claim_uid)
    return (*place.bases(), *place.auxiliaries(), *place.conversions())


@dataclass(frozen=True, slots=True)
class _Place:
    """A set and the claim that it fills."""

    models: ModelSet
    claim: str
    claim_uid: str

    def bases(self) -> Iterator[Wanted]:
        for spec in self.models.spec.models:
            yield self._of_model(spec, BASE_FORMAT, STORED)

    def conversions(self) -> Iterator[Wanted]:
        for spec in self.models.spec.models:
            for one in spec.variants:
                if one.format != BASE_FORMAT:
                    yield self._of_model(spec, one.format, one.precision)

    def auxiliaries(self) -> Iterator[Wanted]:
        for name in self.models.spec.auxiliary or ():
            entry, unknown = _auxiliary(name)
            yield self._variant(name, (AUXILIARY_FORMAT, STORED), origin(self.models, None), entry, unknown)

    def _of_model(self, spec: ModelSpec, form: str, precision: str) -> Wanted:
        source = origin(self.models, spec)
        entry, unknown = _model(spec.name)
        return self._variant(spec.name, (form, precision), source, entry, None if source.names_a_model else unknown)

    def _variant(
        self,
        name: str,
        kind: tuple[str, str],
        source: Origin,
        entry: CatalogueEntry | AuxiliaryEntry | None,
        unknown: str | None,
    ) -> Wanted:
        repo, revision = (entry.repo, entry.revision) if entry else ("", "")
        published = _may_be_had(entry, source, kind)
        declined = published and self.models.spec.ready_made == "Never"
        made_of = (self.claim_uid, *source.identity(repo, revision), *kind)
        either, never = names.digest(*made_of), names.digest(*made_of, CONVERTED)
        return Wanted(
            model=name,
            format=kind[0],
            precision=kind[1],
            claim=self.claim,
            input=never if declined else either,
            source=source,
            size_bytes=entry.size_bytes if entry else None,
            may_change=kind[0] in ORIGINAL_FORMATS and source.may_change(revision),
            is_taken=published and not declined,
            otherwise=(either if declined else never) if published else None,
            unknown=unknown,
        )


def _may_be_had(entry: CatalogueEntry | AuxiliaryEntry | None, source: Origin, kind: tuple[str, str]) -> bool:
    """Not for a fine-tune or another revision on a hub: what is published was made from the catalogue's checkpoint.

    What a claim has, only its Job can see; it takes nothing that was made from another checkpoint.
    """
    if source.folder is not None:
        return kind[0] not in ORIGINAL_FORMATS
    if not isinstance(entry, CatalogueEntry) or not source.is_hub:
        return False
    same = source.identity(entry.repo, entry.revision) == (entry.repo, entry.revision)
    return same and any((one.format, one.precision) == kind for one in entry.premade)


def _model(name: str) -> tuple[CatalogueEntry | None, str | None]:
    try:
        return lookup(name), None
    except UnknownModel as error:
        return None, f"{error} (spec.models[].source)"


def _auxiliary(name: str) -> tuple[AuxiliaryEntry | None, str | None]:
    try:
        return lookup_auxiliary(name), None
    except UnknownModel as error:
        return None, f"{error} (spec.auxiliary)"
