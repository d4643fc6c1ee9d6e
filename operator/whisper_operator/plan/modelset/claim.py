"""The volume of a set: the claim to make, and what the live one is good for."""

from dataclasses import dataclass
from typing import Any

from whisper_operator.api.conditions import ConditionType, Reason
from whisper_operator.api.modelset import ClaimTemplate, ModelSet, StorageStatus
from whisper_operator.api.units import amount
from whisper_operator.plan import names
from whisper_operator.plan.conditions import Stated
from whisper_operator.plan.modelset.sharing import unshareable
from whisper_operator.plan.ownership import MODELSET_LABEL, labels
from whisper_operator.plan.types import Manifest, ObservedModelSet

APP = "whisper-models"
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
DEFAULT_SIZE = "20Gi"


@dataclass(frozen=True, slots=True)
class Storage:
    """What the claim is good for."""

    reason: Reason
    message: str
    usable: bool = False
    """Jobs may be started on it."""
    bound: bool = False
    stalled: bool = False
    """A person must act."""

    @property
    def stated(self) -> Stated:
        """As a condition."""
        return Stated(ConditionType.STORAGE_READY, self.bound and not self.stalled, self.reason, self.message)


def claim_name(models: ModelSet) -> str:
    """The claim that a set uses."""
    storage = models.spec.storage
    return (storage.existing_claim if storage else None) or names.claim(models.metadata.name)


def claim_asked_for(stored: Manifest) -> str:
    """The claim that a set uses, from the set as it is stored."""
    storage = stored["spec"].get("storage") or {}
    return str(storage.get("existingClaim") or names.claim(stored["metadata"]["name"]))


def is_made(models: ModelSet) -> bool:
    """Whether the operator makes the claim."""
    return not (models.spec.storage and models.spec.storage.existing_claim)


def template(models: ModelSet) -> ClaimTemplate:
    """What is asked of a claim that the operator makes."""
    return (models.spec.storage.claim_template if models.spec.storage else None) or ClaimTemplate()


def claim_manifest(observed: ObservedModelSet) -> Manifest | None:
    """The claim to apply; None where it is someone else's, or on its way out."""
    models, live = observed.resource, observed.claim
    if not is_made(models) or (live is not None and (not _is_ours(live, models) or _is_terminating(live))):
        return None
    meta: dict[str, Any] = {
        "name": claim_name(models),
        "namespace": models.metadata.namespace,
        "labels": labels(models, APP, "storage"),
    }
    if models.spec.storage and models.spec.storage.reclaim_policy == "Delete":
        meta["ownerReferences"] = [models.owner_reference()]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": meta,
        "spec": _made_spec(template(models)) if live is None else _kept_spec(template(models), live),
    }


def _made_spec(wanted: ClaimTemplate) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "accessModes": list(wanted.access_modes or ("ReadWriteOnce",)),
        "resources": {"requests": {"storage": wanted.size or DEFAULT_SIZE}},
    }
    return spec | ({"storageClassName": wanted.storage_class_name} if wanted.storage_class_name else {})


def _kept_spec(wanted: ClaimTemplate, live: Manifest) -> dict[str, Any]:
    """What a live claim may become: larger, once it is bound. The rest cannot change, so it is said as it is."""
    spec = live["spec"]
    now = spec["resources"]["requests"]["storage"]
    size = wanted.size or DEFAULT_SIZE
    grows = (live.get("status") or {}).get("phase") == "Bound" and amount(size) > amount(now)
    found: dict[str, Any] = {
        "accessModes": spec["accessModes"],
        "resources": {"requests": {"storage": size if grows else now}},
    }
    return found | ({"storageClassName": spec["storageClassName"]} if wanted.storage_class_name else {})


def storage(observed: ObservedModelSet) -> Storage:
    """What the live claim is good for, and why."""
    models, live = observed.resource, observed.claim
    name = claim_name(models)
    if live is None:
        return _absent(models, name)
    if is_made(models) and not _is_ours(live, models):
        message = (
            f"claim {name} exists and is not this set's: label it {MODELSET_LABEL}={models.metadata.name} to hand it"
            " over, name it in storage.existingClaim to share it, or delete it"
        )
        return Storage(Reason.CLAIM_NOT_OURS, message, stalled=True)
    if _is_terminating(live):
        return Storage(Reason.CLAIM_TERMINATING, f"claim {name} is being deleted; what uses it must end first")
    match (live.get("status") or {}).get("phase"):
        case "Bound":
            return _bound(observed, live)
        case "Lost":
            return Storage(Reason.CLAIM_LOST, f"the volume of claim {name} is gone: delete the claim", stalled=True)
        case _:
            return _pending(observed, live)


def storage_status(observed: ObservedModelSet, kept: Storage) -> StorageStatus:
    """The claim as status tells it; the UID of a stranger's is not taken down, since by it we know our own."""
    live = observed.claim or {}
    uid = None if kept.reason is Reason.CLAIM_NOT_OURS else live.get("metadata", {}).get("uid")
    found = live.get("status") or {}
    return StorageStatus(
        claim_name=claim_name(observed.resource),
        claim_uid=uid,
        phase=found.get("phase"),
        capacity=(found.get("capacity") or {}).get("storage"),
    )


def _absent(models: ModelSet, name: str) -> Storage:
    if is_made(models):
        return Storage(Reason.CLAIM_PENDING, f"claim {name} is being made")
    return Storage(Reason.CLAIM_NOT_FOUND, f"storage.existingClaim: there is no claim {name} in this namespace")


def _bound(observed: ObservedModelSet, live: Manifest) -> Storage:
    models = observed.resource
    name = live["metadata"]["name"]
    if (held := unshareable(observed)) is not None:
        return Storage(Reason.VOLUME_NOT_SHAREABLE, held, usable=True, bound=True, stalled=True)
    if is_made(models) and (differs := _difference(template(models), live)):
        message = f"claim {name} has {differs}, and a bound claim cannot change: correct the spec or delete the claim"
        return Storage(Reason.CLAIM_DIFFERS, message, usable=True, bound=True, stalled=True)
    return Storage(Reason.CLAIM_BOUND, f"claim {name} is bound", usable=True, bound=True)


def _difference(wanted: ClaimTemplate, live: Manifest) -> str | None:
    spec = live["spec"]
    if wanted.storage_class_name and wanted.storage_class_name != spec.get("storageClassName"):
        return f"storage class {spec.get('storageClassName')}, not {wanted.storage_class_name}"
    if wanted.access_modes and set(wanted.access_modes) != set(spec["accessModes"]):
        return f"access modes {', '.join(spec['accessModes'])}, not {', '.join(wanted.access_modes)}"
    return None


def _pending(observed: ObservedModelSet, live: Manifest) -> Storage:
    name = live["metadata"]["name"]
    if is_made(observed.resource) and (differs := _difference(template(observed.resource), live)):
        message = f"claim {name} has {differs}: delete it, nothing is on it yet, and it is made anew"
        return Storage(Reason.CLAIM_DIFFERS, message, stalled=True)
    if observed.storage_classes is None:
        return Storage(Reason.CLAIM_PENDING, f"claim {name} is not bound yet", usable=True)
    class_name = live["spec"].get("storageClassName") or _default_class(observed.storage_classes)
    found = observed.storage_classes.get(class_name or "")
    if found is None and not live["spec"].get("volumeName"):
        return Storage(Reason.STORAGE_CLASS_NOT_FOUND, _no_class(name, class_name, observed))
    if found and found.get("volumeBindingMode") == "WaitForFirstConsumer":
        return Storage(Reason.CLAIM_WAITS_FOR_POD, f"claim {name} binds when the first Job is placed", usable=True)
    failures = [one for one in observed.claim_events if one.get("reason") == "ProvisioningFailed"]
    if failures and not _is_about_class(failures[-1]):
        return Storage(Reason.PROVISIONING_FAILED, f"claim {name}: {failures[-1].get('message', '')}")
    return Storage(Reason.CLAIM_PENDING, f"claim {name} waits for storage class {class_name} to give it a volume")


def _is_about_class(event: Manifest) -> bool:
    """Said when the class was missing; it stays for an hour after the class has come."""
    return "storageclass" in str(event.get("message", "")) and "not found" in str(event.get("message", ""))


def _no_class(name: str, class_name: str | None, observed: ObservedModelSet) -> str:
    have = ", ".join(sorted(observed.storage_classes or ())) or "none"
    if class_name:
        return f"claim {name}: there is no storage class {class_name} (there is: {have})"
    return f"claim {name} names no storage class and the cluster has no default one (there is: {have})"


def _default_class(classes: Any) -> str | None:
    for name, one in sorted(classes.items()):
        if (one["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) == "true":
            return str(name)
    return None


def _is_ours(live: Manifest, models: ModelSet) -> bool:
    meta = live["metadata"]
    recorded = models.status.storage
    return (meta.get("labels") or {}).get(MODELSET_LABEL) == models.metadata.name or (
        recorded is not None and recorded.claim_uid == meta["uid"]
    )


def _is_terminating(live: Manifest) -> bool:
    return bool(live["metadata"].get("deletionTimestamp"))
