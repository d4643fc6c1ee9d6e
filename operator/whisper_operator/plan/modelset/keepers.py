"""Who needs a Job: every set that wants what it makes holds it by an owner reference.

So one Job serves all sets of a claim, outlives each of them that is deleted, and goes with the last.
"""

from whisper_operator.api.modelset import KIND
from whisper_operator.api.resource import Resource
from whisper_operator.plan.ownership import MODELSET_LABEL
from whisper_operator.plan.types import Manifest, ObjectRef


def keepers(live: Manifest) -> dict[str, str]:
    """UID and name of each set that holds a Job."""
    references = live["metadata"].get("ownerReferences") or ()
    return {one["uid"]: one["name"] for one in references if one.get("kind") == KIND}


def keeps(live: Manifest, models: Resource) -> bool:
    """Whether this set holds a Job."""
    return models.metadata.uid in keepers(live)


def in_charge(live: Manifest, models: Resource) -> bool:
    """Whether this set decides about a Job that fails: the one that made it or, where that is gone, the first by name.

    One that nobody holds, as an orphaning deletion or an edit leaves it, is for the set that its label names.
    """
    holding, maker = keepers(live), (live["metadata"].get("labels") or {}).get(MODELSET_LABEL)
    if not holding:
        return bool(maker == models.metadata.name)
    first = next((uid for uid, name in holding.items() if name == maker), None)
    return models.metadata.uid == (first or min(holding, key=lambda uid: (holding[uid], uid)))


def may_end(live: Manifest, models: Resource) -> bool:
    """Whether nobody else wants a Job that this set has no more use for."""
    holding = keepers(live)
    return set(holding) == {models.metadata.uid} if holding else in_charge(live, models)


def reference(live: Manifest) -> ObjectRef:
    """A live Job, for pruning, holding or releasing it."""
    meta = live["metadata"]
    return ObjectRef("batch/v1", "Job", meta["namespace"], meta["name"], meta["uid"])
