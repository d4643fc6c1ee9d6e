"""The other sets on the same claim: what they have made need not be made again, and what they name stays.

One claim holds a variant once. Where two sets ask for it from different sources, the older set has its way.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from whisper_operator.api.modelset import ModelSet, VariantStatus
from whisper_operator.plan.conditions import moment
from whisper_operator.plan.modelset.variant_status import fresh
from whisper_operator.plan.modelset.wanted import Wanted, wanted_variants
from whisper_operator.plan.types import ObservedModelSet

SHARED = (
    "state",
    "revision",
    "digest",
    "size_bytes",
    "path",
    "similarity",
    "validated_with",
    "made_from",
    "taken_from",
    "converted_because",
    "verified_at",
    "refreshed_at",
)
"""What one set knows of a variant is true for all on the claim."""


@dataclass(frozen=True, slots=True)
class Siblings:
    """The other sets on the claim, and the variants that each of them wants."""

    models: ModelSet
    wanted: tuple[tuple[ModelSet, tuple[Wanted, ...]], ...]

    def conflicting(self, wanted: Wanted) -> str | None:
        """The name of an older set that has this variant from another source."""
        for other, variants in self.wanted:
            if _age(other) < _age(self.models) and any(
                one.key == wanted.key and one.input != wanted.input for one in variants
            ):
                return other.metadata.name
        return None

    def naming(self, key: tuple[str, str, str]) -> Iterator[str]:
        """Names of the sets that want a variant."""
        yield from (other.metadata.name for other, variants in self.wanted if any(one.key == key for one in variants))

    def adopted(self, wanted: Wanted, before: VariantStatus) -> VariantStatus:
        """The status of a variant, with what another set knows better."""
        newest = max(self._known(wanted), key=lambda one: str(one.verified_at), default=None)
        if newest is None or newest.verified_at is None or not _is_news(newest.verified_at, before):
            return before
        found = fresh(wanted).model_copy(update={name: getattr(newest, name) for name in SHARED})
        if found.digest == before.digest and before.validated_with is not None:
            # Theirs may be of other clips, or held against another threshold.
            found = found.model_copy(update={"similarity": before.similarity, "validated_with": before.validated_with})
        return found

    def _known(self, wanted: Wanted) -> Iterator[VariantStatus]:
        for other, _ in self.wanted:
            for one in other.status.variants:
                if (one.name, one.format, one.precision) == wanted.key and one.input == wanted.input and one.digest:
                    yield one


def siblings(observed: ObservedModelSet, claim: str, claim_uid: str) -> Siblings:
    """The other sets on the claim of the one that is planned."""
    others: Iterable[ModelSet] = observed.others
    return Siblings(observed.resource, tuple((one, wanted_variants(one, claim, claim_uid)) for one in others))


def _is_news(verified_at: str, before: VariantStatus) -> bool:
    """Known later than all that this set knows, its doubts included."""
    mine = [before.verified_at] if before.digest else []
    if before.last_failure is not None:
        mine.append(before.last_failure.time)
    return all(moment(verified_at) > moment(one) for one in mine if one is not None)


def _age(models: ModelSet) -> tuple[str, str]:
    return models.metadata.creation_timestamp, models.metadata.name
