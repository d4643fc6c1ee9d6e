"""From what planning states to the conditions that are written: times change only when the status does."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from whisper_operator.api.conditions import Condition, ConditionType, Reason
from whisper_operator.plan.types import Event

MESSAGE_LIMIT = 2048


@dataclass(frozen=True, slots=True)
class Stated:
    """One condition as planning sees it; None is Unknown."""

    type: ConditionType
    holds: bool | None
    reason: Reason | str
    message: str = ""

    @property
    def status(self) -> str:
        """The API's spelling."""
        return "Unknown" if self.holds is None else str(self.holds)


def timestamp(moment: datetime) -> str:
    """A moment as Kubernetes writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(stamp: str) -> datetime:
    """The inverse of `timestamp`."""
    return datetime.fromisoformat(stamp)


def settle(
    before: Iterable[Condition], stated: Iterable[Stated], *, generation: int, now: datetime
) -> tuple[Condition, ...]:
    """The conditions to write, in the order stated; those not stated go."""
    known = {condition.type: condition for condition in before}
    return tuple(_settled(known.get(one.type), one, generation, now) for one in stated)


def _settled(before: Condition | None, stated: Stated, generation: int, now: datetime) -> Condition:
    unchanged = before is not None and before.status == stated.status
    return Condition.model_validate(
        {
            "type": stated.type,
            "status": stated.status,
            "reason": str(stated.reason),
            "message": stated.message[:MESSAGE_LIMIT],
            "observedGeneration": generation,
            "lastTransitionTime": before.last_transition_time if before and unchanged else timestamp(now),
        }
    )


def transition(before: Iterable[Condition], now: Stated, *, good: bool) -> tuple[Event, ...]:
    """The Event that a condition is worth: one when its status or reason changes, none while it stays."""
    old = next((condition for condition in before if condition.type == now.type), None)
    if old is not None and (old.status, old.reason) == (now.status, str(now.reason)):
        return ()
    return (Event("Normal" if good else "Warning", str(now.reason), now.message or f"{now.type} is {now.status}"),)
