"""What the condition `Verified` says: the bytes first, then how near transcripts come to their originals."""

from collections.abc import Sequence

from whisper_operator.api.conditions import ConditionType, Reason
from whisper_operator.api.modelset import ModelSet, VariantState, VariantStatus
from whisper_operator.plan.conditions import Stated
from whisper_operator.plan.modelset.arguments import threshold
from whisper_operator.plan.modelset.chores import falls_short
from whisper_operator.plan.modelset.repair import DAMAGE
from whisper_operator.plan.modelset.wanted import ORIGINAL_FORMATS


def verified(models: ModelSet, variants: Sequence[VariantStatus]) -> Stated:
    """Whether all files have their digests, and all conversions transcribe as they should."""
    for one in variants:
        if one.last_failure and one.last_failure.reason in DAMAGE:
            return Stated(ConditionType.VERIFIED, False, one.last_failure.reason, one.last_failure.message)
    if short := [one for one in variants if falls_short(one, models)]:
        figures = ", ".join(f"{_title(one)} {one.similarity:.3f}" for one in short)
        message = f"less like the original than {threshold(models):g}: {figures}"
        return Stated(ConditionType.VERIFIED, False, Reason.VARIANT_UNVERIFIED, message)
    if not all(one.state is VariantState.READY for one in variants):
        return Stated(ConditionType.VERIFIED, None, Reason.PROGRESSING, "not all variants are there yet")
    if unknown := [one for one in variants if one.similarity is None and one.format not in ORIGINAL_FORMATS]:
        message = f"not compared with their originals yet: {', '.join(map(_title, unknown))}"
        return Stated(ConditionType.VERIFIED, None, Reason.NOT_VALIDATED, message)
    return Stated(ConditionType.VERIFIED, True, Reason.VERIFIED, _praise(variants))


def _praise(variants: Sequence[VariantStatus]) -> str:
    said = "all files have the digests they should have"
    compared = [one for one in variants if one.similarity is not None]
    if not compared:
        return said
    least = min(compared, key=lambda one: one.similarity or 0)
    return f"{said}; least like its original: {_title(least)} {least.similarity:.3f}"


def _title(variant: VariantStatus) -> str:
    return f"{variant.name} {variant.format} {variant.precision}"
