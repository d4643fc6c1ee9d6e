"""What the watches have said, as plain dictionaries: reading it costs nothing and asks nobody.

It holds the custom resources and what carries our label. Our own writes are put in at once, so that the next look sees
them even when the watch is late. Nothing here is authoritative: a listing every few minutes corrects what a watch lost.
"""

import marshal
import sys
from collections import defaultdict
from collections.abc import Callable, Container, Iterator
from typing import Any, TypeAlias

from whisper_operator.cluster.compare import condensed
from whisper_operator.metrics import OBJECTS
from whisper_operator.plan.ownership import OWNER_LABELS
from whisper_operator.plan.types import Key, Manifest

Address = tuple[str, str, str]
"""Kind, namespace and name."""
PACKED = ("ConfigMap", "Deployment", "PodDisruptionBudget", "Service")
"""Kinds that are read one service at a time, when it is that service's turn."""


def address(manifest: Manifest) -> Address:
    """Where an object is found."""
    meta = manifest["metadata"]
    return manifest["kind"], meta.get("namespace", ""), meta["name"]


def version(manifest: Manifest) -> int:
    """The resourceVersion, which orders the states of the cluster."""
    return int(manifest["metadata"].get("resourceVersion") or 0)


def owner_key(manifest: Manifest) -> Key | None:
    """The custom resource that an object is, or that its label names."""
    meta = manifest["metadata"]
    if manifest["kind"] in OWNER_LABELS:
        return Key(manifest["kind"], meta["namespace"], meta["name"])
    labels = meta.get("labels") or {}
    for kind, label in OWNER_LABELS.items():
        if label in labels:
            return Key(kind, meta["namespace"], labels[label])
    return None


PLACED, WAITS_FOR = ("nodeName",), ("nodeSelector", "affinity")
"""Of a pod's spec: where it is or, until it is somewhere, which nodes it asks for."""


def trimmed(manifest: Manifest) -> Manifest:
    """Without what nobody here reads; of a long text in a ConfigMap its digest, which is all that comparing needs."""
    meta = {key: value for key, value in manifest["metadata"].items() if key != "managedFields"}
    found = manifest | {"metadata": meta}
    if found["kind"] == "Pod":
        spec = found.pop("spec", None) or {}
        kept = PLACED if spec.get("nodeName") else WAITS_FOR
        if told := {key: spec[key] for key in kept if spec.get(key)}:
            found["spec"] = told
    if found["kind"] == "ConfigMap" and found.get("data"):
        found["data"] = {key: condensed(value) for key, value in found["data"].items()}
    return found


Kept: TypeAlias = Manifest | bytes
"""An object as it is held: what is seldom read takes a fifth of the memory as bytes."""


def _pack(manifest: Manifest) -> Kept:
    return marshal.dumps(manifest) if manifest["kind"] in PACKED else _shared(manifest)


def _open(kept: Kept) -> Manifest:
    return marshal.loads(kept) if isinstance(kept, bytes) else kept  # noqa: S302  # our own bytes


def _shared(value: Any) -> Any:
    """Each text once, however many objects have it."""
    if isinstance(value, str):
        return sys.intern(value)
    if isinstance(value, dict):
        return {sys.intern(key): _shared(one) for key, one in value.items()}
    return [_shared(one) for one in value] if isinstance(value, list) else value


class Cache:
    """Objects by kind, namespace and name, and by the custom resource that they belong to.

    Args:
        changed: called with every object that is new, different or gone.
    """

    def __init__(self, changed: Callable[[Manifest], None] = lambda _: None) -> None:
        self.changed = changed
        self._objects: defaultdict[tuple[str, str], dict[str, Kept]] = defaultdict(dict)
        self._owned: defaultdict[Key, dict[Address, Kept]] = defaultdict(dict)

    def put(self, manifest: Manifest) -> bool:
        """Take in an object, unless this state or a newer one is known; True when it was news."""
        where = address(manifest)
        known = self.get(*where)
        if known is not None:
            if version(known) >= version(manifest):
                return False
            self._drop(where, known)
        found = trimmed(manifest)
        kept = self._objects[where[:2]][where[2]] = _pack(found)
        OBJECTS.labels(where[0]).inc()
        if (owner := owner_key(found)) and owner.kind != where[0]:
            self._owned[owner][where] = kept
        self.changed(found)
        return True

    def remove(self, where: Address, uid: str | None = None) -> bool:
        """Forget an object; with a UID, only if it is that one. True when it was news."""
        known = self.get(*where)
        if known is None or (uid is not None and known["metadata"]["uid"] != uid):
            return False
        self._drop(where, known)
        self.changed(known)
        return True

    def get(self, kind: str, namespace: str, name: str) -> Manifest | None:
        """One object, if it is known."""
        kept = self._objects.get((kind, namespace), {}).get(name)
        return None if kept is None else _open(kept)

    def owned(self, key: Key, kind: str | None = None) -> Iterator[Manifest]:
        """Objects whose label names this custom resource; of one kind, if one is named."""
        found = self._owned.get(key, {}).items()
        yield from map(_open, [kept for where, kept in found if kind in (None, where[0])])

    def of_kind(self, kind: str, namespace: str) -> Iterator[Manifest]:
        """All known objects of a kind in a namespace."""
        yield from map(_open, list(self._objects.get((kind, namespace), {}).values()))

    def resources(self) -> list[Key]:
        """All custom resources."""
        return [
            Key(kind, namespace, name)
            for (kind, namespace), found in self._objects.items()
            if kind in OWNER_LABELS
            for name in found
        ]

    def lost(self, kind: str, namespace: str | None, listed: Container[Address], listed_at: int) -> list[Address]:
        """Objects that a listing should have contained but did not: their end was missed."""
        return [
            (kind, where, name)
            for (one, where), found in self._objects.items()
            if one == kind and namespace in (None, where)
            for name, kept in found.items()
            if (kind, where, name) not in listed and version(_open(kept)) <= listed_at
        ]

    def _drop(self, where: Address, known: Manifest) -> None:
        del self._objects[where[:2]][where[2]]
        OBJECTS.labels(where[0]).dec()
        if (owner := owner_key(known)) and owner.kind != where[0]:
            owned = self._owned[owner]
            owned.pop(where, None)
            if not owned:
                del self._owned[owner]
