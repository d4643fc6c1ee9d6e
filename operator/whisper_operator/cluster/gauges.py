"""What Prometheus is told of each ModelSet, from the status that was just planned."""

from collections import Counter

from whisper_operator.api.modelset import VariantState
from whisper_operator.metrics import MODELSET_BYTES, MODELSET_VARIANTS
from whisper_operator.plan.types import Key, Manifest


def show(key: Key, status: Manifest) -> None:
    """One set as it is now; a state that no variant is in is shown as 0, so that an alert sees it end."""
    variants = status.get("variants") or ()
    states = Counter(one["state"] for one in variants)
    for state in VariantState:
        MODELSET_VARIANTS.labels(key.namespace, key.name, state).set(states[state])
    MODELSET_BYTES.labels(key.namespace, key.name).set(sum(one.get("sizeBytes") or 0 for one in variants))


def forget(key: Key) -> None:
    """A set that is gone."""
    for state in VariantState:
        MODELSET_VARIANTS.remove_by_labels({"namespace": key.namespace, "modelset": key.name, "state": str(state)})
    MODELSET_BYTES.remove_by_labels({"namespace": key.namespace, "modelset": key.name})
