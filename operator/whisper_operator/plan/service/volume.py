"""Pods that hang because the models' volume is on another node: Kubernetes says so in Events, the ModelSet tells it."""

from collections.abc import Iterable

from whisper_operator.api.conditions import ConditionType, Reason
from whisper_operator.api.modelset import ModelSet
from whisper_operator.plan.trouble import Trouble, waits_on_a_node
from whisper_operator.plan.types import Manifest


def volume_trouble(models: ModelSet | None, pods: Iterable[Manifest]) -> Trouble | None:
    """What keeps these pods from starting, if it is the volume of their models."""
    told = next(
        (
            one
            for one in (models.status.conditions if models else ())
            if one.type == ConditionType.STORAGE_READY and one.reason == Reason.VOLUME_NOT_SHAREABLE
        ),
        None,
    )
    return Trouble(Reason.VOLUME_NOT_SHAREABLE, told.message) if told and any(map(waits_on_a_node, pods)) else None
