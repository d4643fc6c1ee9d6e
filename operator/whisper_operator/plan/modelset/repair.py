"""A variant that is ready, and of which somebody says that its bytes are not those that were published.

Two can tell: a runtime, which reads every byte before it serves, and a conversion, which reads its base. The Job that
made the variant is then run again: it finds what is damaged and makes that anew. What was told before the variant was
last verified is over, so that one damage is mended once.
"""

from collections.abc import Iterator
from typing import Any

from whisper_models.catalogue import canonical

from whisper_operator.api.conditions import Reason
from whisper_operator.api.modelset import VariantStatus
from whisper_operator.plan.conditions import moment
from whisper_operator.plan.modelset.result import Ended
from whisper_operator.plan.modelset.wanted import BASE_FORMAT, Wanted
from whisper_operator.plan.service.models import CLAIM_ANNOTATION, MODEL_ANNOTATION, VARIANT_ANNOTATION
from whisper_operator.plan.types import Manifest, ObservedModelSet

DAMAGE = (Reason.CHECKSUM_MISMATCH, Reason.SOURCE_MISSING)
"""Why a Job that reads the claim fails when what it reads is not what it was."""


def complaint(wanted: Wanted, before: VariantStatus, observed: ObservedModelSet) -> Ended | None:
    """What was said against a variant since it was last verified; None if nothing."""
    told = (*_of_runtimes(wanted, observed), *_of_conversions(wanted, observed))
    return next((why for when, why in told if _is_new(when, before)), None)


def claim_served(pod: Manifest) -> str | None:
    """The claim that a runtime's pod reads its model from."""
    name = _notes(pod).get(CLAIM_ANNOTATION)
    return None if name is None else str(name)


def served(pod: Manifest) -> tuple[str, str]:
    """The model that a runtime's pod reads, and its format and precision."""
    notes = _notes(pod)
    return canonical(str(notes.get(MODEL_ANNOTATION))), str(notes.get(VARIANT_ANNOTATION))


def complains(pod: Manifest) -> bool:
    """Whether a container of this pod ended because of what it read."""
    return any(True for _ in _complaints(pod))


def _of_runtimes(wanted: Wanted, observed: ObservedModelSet) -> Iterator[tuple[str, Ended]]:
    for pod in observed.readers:
        if served(pod) == (canonical(wanted.model), f"{wanted.format}/{wanted.precision}"):
            for began, said in _complaints(pod):
                yield began, Ended(Reason.CHECKSUM_MISMATCH, f"Pod {pod['metadata']['name']}: {said}")


def _of_conversions(wanted: Wanted, observed: ObservedModelSet) -> Iterator[tuple[str, Ended]]:
    """A conversion's Job says this of its base alone; what a runtime said of the conversion came from no Job."""
    for one in observed.resource.status.variants if wanted.is_base else ():
        failure = one.last_failure if one.name == wanted.model and one.format != BASE_FORMAT else None
        if failure and failure.job_uid and failure.reason in DAMAGE:
            yield failure.time, Ended(failure.reason, failure.message)


def _complaints(pod: Manifest) -> Iterator[tuple[str, str]]:
    """When each container that ended so had begun to read, and its last words."""
    for container in (pod.get("status") or {}).get("containerStatuses") or ():
        for state in (container.get("state"), container.get("lastState")):
            ended: dict[str, Any] = (state or {}).get("terminated") or {}
            said = str(ended.get("message") or "").strip()
            if said.startswith(Reason.CHECKSUM_MISMATCH) and ended.get("startedAt"):
                yield str(ended["startedAt"]), said


def _is_new(when: str, before: VariantStatus) -> bool:
    return before.verified_at is None or moment(when) > moment(before.verified_at)


def _notes(pod: Manifest) -> dict[str, Any]:
    return pod["metadata"].get("annotations") or {}
