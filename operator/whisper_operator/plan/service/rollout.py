"""How far a Deployment is with what was asked for."""

import json
from dataclasses import dataclass
from hashlib import sha256

from whisper_operator.api import GROUP
from whisper_operator.plan.types import Manifest

SPEC_HASH = f"{GROUP}/spec-hash"


def stamped(manifest: Manifest) -> Manifest:
    """Write on a Deployment (never on its pods) which spec it was given: an older one's state says nothing about it."""
    text = json.dumps(manifest["spec"], sort_keys=True)
    metadata = manifest["metadata"]
    notes = metadata.get("annotations", {}) | {SPEC_HASH: sha256(text.encode()).hexdigest()[:16]}
    return manifest | {"metadata": metadata | {"annotations": notes}}


@dataclass(frozen=True, slots=True)
class Rollout:
    """Numbers of pods, and whether all of them are of the newest kind.

    Attributes:
        refused: the API server's words when it lets the Deployment make no pods (quota, Pod Security).
    """

    desired: int = 0
    ready: int = 0
    settled: bool = False
    refused: str | None = None


def rollout(live: Manifest | None, desired: Manifest | None) -> Rollout:
    """Compare a live Deployment with the one that we want; either may be missing."""
    if desired is None:
        return Rollout()
    wanted = desired["spec"]["replicas"]
    if live is None:
        return Rollout(wanted)
    status = live.get("status") or {}
    ready = status.get("readyReplicas", 0)
    return Rollout(wanted, ready, _is_current(live, desired) and _has_only(status, wanted), _refusal(status))


def _is_current(live: Manifest, desired: Manifest) -> bool:
    """Whether the controller has seen the very spec that we want."""
    metadata = live["metadata"]
    seen = (live.get("status") or {}).get("observedGeneration", 0) >= metadata.get("generation", 0)
    given = (metadata.get("annotations") or {}).get(SPEC_HASH)
    return bool(seen and given == desired["metadata"]["annotations"][SPEC_HASH])


def _has_only(status: Manifest, wanted: int) -> bool:
    """All pods are there, ready, of the newest template, and no old one is left."""
    return all(status.get(count, 0) == wanted for count in ("replicas", "updatedReplicas", "readyReplicas"))


def _refusal(status: Manifest) -> str | None:
    for condition in status.get("conditions") or ():
        if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
            return str(condition.get("message", "the pods were refused"))
    return None
