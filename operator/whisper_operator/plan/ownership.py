"""How an object says that it is ours: labels to find it by, an owner reference to remove it by."""

from collections.abc import Mapping
from typing import Any

from whisper_operator.api import GROUP
from whisper_operator.api.resource import Resource
from whisper_operator.plan.types import Manifest

MANAGER = "whisper-operator"
"""Field manager, and the value of `app.kubernetes.io/managed-by`."""
MANAGED_BY = "app.kubernetes.io/managed-by"
SERVICE_LABEL = f"{GROUP}/service"
MODELSET_LABEL = f"{GROUP}/modelset"
RUNTIME_LABEL = f"{GROUP}/runtime"
OWNER_LABELS = {"WhisperService": SERVICE_LABEL, "ModelSet": MODELSET_LABEL}


def selector(owner: Resource, component: str) -> dict[str, str]:
    """The labels that never change: what Services and Deployments select pods by."""
    return {OWNER_LABELS[owner.kind]: owner.metadata.name, "app.kubernetes.io/component": component}


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


def is_owned(manifest: Manifest, owner: Resource) -> bool:
    """Whether this live object carries our label and this owner's UID."""
    meta = manifest.get("metadata", {})
    references = meta.get("ownerReferences") or []
    return (meta.get("labels") or {}).get(MANAGED_BY) == MANAGER and any(
        reference.get("uid") == owner.metadata.uid for reference in references
    )
