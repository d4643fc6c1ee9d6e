"""Which artifact each runtime serves: what the ModelSet has, or failing that what is served already.

A ModelSet that is gone, or that makes its variant anew, must not break what serves. So the artifact is also written on
the runtime's pods, and read back from there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from whisper_models.catalogue import canonical

from whisper_operator.api import GROUP
from whisper_operator.api.conditions import Reason
from whisper_operator.api.modelset import ModelSet, VariantState, VariantStatus
from whisper_operator.api.whisperservice import EffectiveRuntime
from whisper_operator.plan.service.runtimes import RUNTIMES
from whisper_operator.plan.types import Manifest

MODEL_ANNOTATION = f"{GROUP}/model"
VARIANT_ANNOTATION = f"{GROUP}/variant"
DIGEST_ANNOTATION = f"{GROUP}/model-digest"
CLAIM_ANNOTATION = f"{GROUP}/models-claim"


@dataclass(frozen=True, slots=True)
class Artifact:
    """One variant on one claim, as a pod mounts it."""

    model: str
    format: str
    precision: str
    digest: str
    claim: str

    @property
    def variant(self) -> str:
        """Format and precision, as status shows them."""
        return f"{self.format}/{self.precision}"

    def annotations(self) -> dict[str, str]:
        """For the pods that serve it: a new digest makes new pods."""
        return {
            MODEL_ANNOTATION: self.model,
            VARIANT_ANNOTATION: self.variant,
            DIGEST_ANNOTATION: self.digest,
            CLAIM_ANNOTATION: self.claim,
        }


@dataclass(frozen=True, slots=True)
class Found:
    """What a runtime is to serve.

    Attributes:
        artifact: None until there is one.
        reason: READY, or why what was asked for is not there; `artifact` may then be what was served before.
        stalled: a person has to change one of the two resources.
    """

    artifact: Artifact | None
    reason: Reason
    message: str
    stalled: bool = False

    @property
    def ready(self) -> bool:
        """Whether it is what the spec asks for."""
        return self.reason is Reason.READY


@dataclass(frozen=True, slots=True)
class Wanted:
    """A model in the form that one runtime loads."""

    model: str
    format: str
    precision: str

    def __str__(self) -> str:
        return f"{self.model} as {self.format} {self.precision}"

    def fits(self, status: VariantStatus) -> bool:
        """Whether a variant in a ModelSet's status is this one."""
        return (canonical(status.name), status.format, status.precision) == (self.model, self.format, self.precision)


def wanted(runtime: EffectiveRuntime, model: str) -> Wanted:
    """What a runtime is to load where this is the service's model."""
    return Wanted(canonical(runtime.model or model), RUNTIMES[runtime.name].format, runtime.precision)


def find(
    want: Wanted, modelset: ModelSet | None, ref: str, serving: Artifact | None, unreadable: str | None = None
) -> Found:
    """Decide what a runtime serves.

    Args:
        want: what the spec asks for.
        modelset: the set that the spec names, if it exists.
        ref: its name.
        serving: what the runtime's pods serve now, if there are any.
        unreadable: what is wrong with the set, if it is there and cannot be read.
    """
    if unreadable is not None:
        message = f"ModelSet {ref!r} cannot be read ({unreadable}): correct it and apply it again"
        return Found(serving, Reason.MODEL_SET_INVALID, message, stalled=True)
    if modelset is None:
        return Found(
            serving,
            Reason.MODEL_SET_NOT_FOUND,
            f"There is no ModelSet {ref!r} in this namespace: create it, or correct spec.modelSetRef.name",
        )
    if not _offers(modelset, want):
        message = f"ModelSet {ref!r} does not name {want}: add it to its spec.models, or ask for another model"
        return Found(serving, Reason.VARIANT_MISSING, message, stalled=True)
    status = next((one for one in modelset.status.variants if want.fits(one)), None)
    if status is not None and status.reason == Reason.VARIANT_UNVERIFIED:
        return Found(serving, Reason.VARIANT_UNVERIFIED, f"{want}: {status.message}", stalled=True)
    artifact = None if status is None else _ready_artifact(status, modelset)
    if artifact is None:
        return Found(serving, Reason.VARIANT_PENDING, _pending(want, ref, status))
    return Found(artifact, Reason.READY, f"{want} is ready")


def _offers(modelset: ModelSet, want: Wanted) -> bool:
    return any(
        canonical(model.name) == want.model and (variant.format, variant.precision) == (want.format, want.precision)
        for model in modelset.spec.models
        for variant in model.variants
    )


def _ready_artifact(status: VariantStatus, modelset: ModelSet) -> Artifact | None:
    storage = modelset.status.storage
    if status.state is not VariantState.READY or not status.digest or storage is None:
        return None
    return Artifact(canonical(status.name), status.format, str(status.precision), status.digest, storage.claim_name)


def _pending(want: Wanted, ref: str, status: VariantStatus | None) -> str:
    if status is None:
        return f"ModelSet {ref!r} has not begun with {want}"
    why = f" ({status.reason})" if status.reason else ""
    return f"ModelSet {ref!r} is not done with {want}: {status.state}{why}"


def served_by(deployment: Manifest | None) -> Artifact | None:
    """What the pods of a live Deployment serve, from what was written on them."""
    if deployment is None:
        return None
    try:
        notes: dict[str, Any] = deployment["spec"]["template"]["metadata"]["annotations"]
        variant_format, precision = notes[VARIANT_ANNOTATION].split("/")
        return Artifact(
            notes[MODEL_ANNOTATION], variant_format, precision, notes[DIGEST_ANNOTATION], notes[CLAIM_ANNOTATION]
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        # Edited by hand beyond recognition: it is built again when the model set has the variant.
        return None


def deployment_named(name: str, owned: Iterable[Manifest]) -> Manifest | None:
    """One live Deployment, if it is there."""
    return next((one for one in owned if one["kind"] == "Deployment" and one["metadata"]["name"] == name), None)
