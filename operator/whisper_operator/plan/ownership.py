"""How an object says that it is ours: labels to find it by, an owner reference to remove it by."""

from collections.abc import Mapping
from typing import Any

from whisper_operator.api import API_VERSION, GROUP
from whisper_operator.api.resource import Resource
from whisper_operator.plan.types import Manifest

MANAGER = "whisper-operator"
"""Field manager, and the value of `app.kubernetes.io/managed-by`."""
MANAGED_BY = "app.kubernetes.io/managed-by"
SERVICE_LABEL = f"{GROUP}/service"
MODELSET_LABEL = f"{GROUP}/modelset"
COMPONENT = "app.kubernetes.io/component"
RUNTIME_LABEL = f"{GROUP}/runtime"
OWNER_LABELS = {"WhisperService": SERVICE_LABEL, "ModelSet": MODELSET_LABEL}


def selector(owner: Resource, component: str) -> dict[str, str]:
    """The labels that never change: what Services and Deployments select pods by."""
    return {OWNER_LABELS[owner.kind]: owner.metadata.name, COMPONENT: component}


def labels(owner: Resource, app: str, component: str) -> dict[str, str]:
    """All labels of an object of ours."""
    return {
        "app.kubernetes.io/name": app,
        "app.kubernetes.io/instance": owner.metadata.name,
        "app.kubernetes.io/part-of": "whisper",
        MANAGED_BY: MANAGER,
    } | selector(owner, component)


def metadata(
    owner: Resource, name: str, app: str, component: str, annotations: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Metadata of an object that lives and dies with its owner."""
    found: dict[str, Any] = {
        "name": name,
        "namespace": owner.metadata.namespace,
        "labels": labels(owner, app, component),
        "ownerReferences": [owner.owner_reference()],
    }
    if annotations:
        found["annotations"] = dict(annotations)
    return found


def owned_by(resource: Manifest) -> Manifest:
    """The reference by which one more resource holds an object that others hold, too; it keeps no owner from going."""
    meta = resource["metadata"]
    return {"apiVersion": API_VERSION, "kind": resource["kind"], "name": meta["name"], "uid": meta["uid"]}


def left_by(resource: Manifest) -> Manifest:
    """What takes this one's reference off and leaves the others'."""
    return {"$patch": "delete", "uid": resource["metadata"]["uid"]}


def is_owned(manifest: Manifest, owner: Resource) -> bool:
    """Whether this live object carries our label and this owner's UID."""
    meta = manifest.get("metadata", {})
    references = meta.get("ownerReferences") or []
    return (meta.get("labels") or {}).get(MANAGED_BY) == MANAGER and any(
        reference.get("uid") == owner.metadata.uid for reference in references
    )


def is_adoptable(live: Manifest, resource: Manifest) -> bool:
    """Whether an object under a name that we need may be made ours.

    It may when it carries the label that names this custom resource and no other controller owns it: it is ours, is
    what an earlier one of the same name left behind, or lost its owner reference to someone's edit. A claim without
    labels is known by the UID that the status recorded.
    """
    meta = live["metadata"]
    recorded = ((resource.get("status") or {}).get("storage") or {}).get("claimUid")
    if recorded is not None and recorded == meta.get("uid"):
        return True
    label = OWNER_LABELS[resource["kind"]]
    if (meta.get("labels") or {}).get(label) != resource["metadata"]["name"]:
        return any(one.get("uid") == resource["metadata"]["uid"] for one in meta.get("ownerReferences") or ())
    controllers = [one for one in meta.get("ownerReferences") or () if one.get("controller")]
    return all(one["uid"] == resource["metadata"]["uid"] for one in controllers)


def is_outgoing(live: Manifest, resource: Manifest) -> bool:
    """Whether an object is on its way out: being deleted, or owned by an earlier resource of the same name."""
    meta = live["metadata"]
    return bool(meta.get("deletionTimestamp")) or any(
        one.get("kind") == resource["kind"]
        and one.get("name") == resource["metadata"]["name"]
        and one.get("uid") != resource["metadata"]["uid"]
        for one in meta.get("ownerReferences") or ()
    )
