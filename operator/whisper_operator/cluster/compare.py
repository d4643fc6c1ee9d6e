"""Whether a live object already says everything that a manifest says, so that nothing needs to be written.

The API server fills in defaults, spells quantities its own way and drops what is empty; others add fields and items to
lists. None of that is a difference. A field of ours that a newer plan no longer has shows in the digest.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from whisper_operator.api import GROUP
from whisper_operator.api.units import amount
from whisper_operator.plan.types import Manifest

APPLIED = f"{GROUP}/applied"
"""Annotation on what we make: the digest of the manifest that was applied."""
MERGE_KEYS = {
    "containers": "name",
    "env": "name",
    "imagePullSecrets": "name",
    "initContainers": "name",
    "ownerReferences": "uid",
    "ports": "name",
    "volumeMounts": "mountPath",
    "volumes": "name",
}
"""Lists that the API server merges by key, and to which others may add."""
ATOMIC = ("matchLabels", "nodeSelector", "selector")
"""Objects that belong to one manager as a whole: a key that someone added is a difference."""
LONG = 4096
"""Characters; a longer text need not be kept to be compared."""
QUANTITIES = ("limits", "requests", "capacity")


def stamped(manifest: Manifest) -> Manifest:
    """The manifest with the digest of itself."""
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    meta = manifest["metadata"]
    annotations = (meta.get("annotations") or {}) | {APPLIED: sha256(text.encode()).hexdigest()[:16]}
    return manifest | {"metadata": meta | {"annotations": annotations}}


def stamp(manifest: Manifest) -> str:
    """The digest that a stamped manifest carries."""
    return str(manifest["metadata"]["annotations"][APPLIED])


def condensed(text: str) -> str:
    """What stands for a text: itself, or its digest where it is long."""
    return text if len(text) <= LONG else f"sha256:{sha256(text.encode()).hexdigest()}"


def covers(live: Any, wanted: Any, field: str = "") -> bool:
    """Whether everything in `wanted` is in `live`."""
    if isinstance(wanted, Mapping):
        if not isinstance(live, Mapping) or (field in ATOMIC and set(live) - set(wanted)):
            return False
        return all(
            name in live and covers(live[name], value, field if field in QUANTITIES else name)
            if _says_something(value)
            else not live.get(name)
            for name, value in wanted.items()
        )
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        return isinstance(live, Sequence) and _list_covers(live, wanted, field)
    if field in QUANTITIES and live != wanted:
        return amount(str(live)) == amount(str(wanted))
    return bool(live == wanted) or (isinstance(wanted, str) and len(wanted) > LONG and live == condensed(wanted))


def _says_something(value: Any) -> bool:
    """The API server leaves out empty strings, lists and false; an empty object and a zero stay."""
    return not (value is None or value is False or value in ("", [], ()))


def _list_covers(live: Sequence[Any], wanted: Sequence[Any], field: str) -> bool:
    key = MERGE_KEYS.get(field)
    if key and all(isinstance(item, Mapping) and key in item for item in (*live, *wanted)):
        by_key = {item[key]: item for item in live}
        return all(item[key] in by_key and covers(by_key[item[key]], item) for item in wanted)
    return len(live) == len(wanted) and all(covers(one, other) for one, other in zip(live, wanted, strict=True))
