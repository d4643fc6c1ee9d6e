"""Which variants a set asks for, each with the source it comes from and the digest that stands for both."""

from dataclasses import dataclass

from whisper_models.catalogue import CatalogueEntry, lookup
from whisper_models.errors import UnknownModel

from whisper_operator.api.modelset import HubModel, ModelSet, ModelSpec
from whisper_operator.plan import names

BASE_FORMAT = "pytorch"
BASE_PRECISION = "stored"
ORIGINAL_FORMATS = (BASE_FORMAT, "auxiliary")
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
    source: HubModel
    """What the spec says about its source, the set's endpoint included."""
    size_bytes: int | None
    """About how large the base checkpoint is, where the catalogue knows."""
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

    def __str__(self) -> str:
        return self.model if self.is_base else f"{self.model} {self.format} {self.precision}"


def wanted_variants(models: ModelSet, claim_name: str, claim_uid: str) -> tuple[Wanted, ...]:
    """Every variant of the set: base checkpoints first, because all others are made from them."""
    specs = models.spec.models
    bases = [_variant(models, spec, BASE_FORMAT, BASE_PRECISION, claim_name, claim_uid) for spec in specs]
    others = [
        _variant(models, spec, variant.format, variant.precision, claim_name, claim_uid)
        for spec in specs
        for variant in spec.variants
        if variant.format != BASE_FORMAT
    ]
    return (*bases, *others)


def _variant(
    models: ModelSet, spec: ModelSpec, variant_format: str, precision: str, claim_name: str, claim_uid: str
) -> Wanted:
    entry, unknown = _entry(spec)
    source = _source(models, spec)
    repo = source.repo or (entry.repo if entry else "")
    revision = source.revision or (entry.revision if entry and not source.repo else "")
    return Wanted(
        model=spec.name,
        format=variant_format,
        precision=precision,
        claim=claim_name,
        input=names.digest(claim_uid, repo, revision, variant_format, precision),
        source=source,
        size_bytes=entry.size_bytes if entry else None,
        unknown=unknown,
    )


def _entry(spec: ModelSpec) -> tuple[CatalogueEntry | None, str | None]:
    try:
        return lookup(spec.name), None
    except UnknownModel as error:
        has_source = spec.source is not None and spec.source.hugging_face.repo is not None
        return None, None if has_source else f"{error} (spec.models[].source.huggingFace.repo)"


def _source(models: ModelSet, spec: ModelSpec) -> HubModel:
    own = spec.source.hugging_face if spec.source else HubModel()
    shared = models.spec.source.hugging_face.endpoint if models.spec.source else None
    return own.model_copy(update={"endpoint": own.endpoint or shared})
