"""Who leads: what the Lease says, and from when on another may take it.

Nobody's clock is compared with anybody else's: a holder's time runs, by the clock of whoever looks, from the moment at
which that one last saw the Lease change. The times inside a Lease are for people.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

DURATION = 12
"""Seconds that a holder has from its last renewal. A crash is noticed after this and about a second more."""
MARGIN = 2.0
"""Seconds before that end at which the holder stops writing: what is on its way then has arrived."""
REMADE_WITHIN = 5.0
"""Seconds in which a holder that reaches the API server notices that its Lease was deleted, and takes the new one."""
LONGEST = 60
"""A Lease that claims more was not written by an operator, of whatever version."""

Spec = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sight:
    """A Lease as it was last seen to change.

    Attributes:
        spec: what it said; None when there was no Lease.
        free_at: when another than its holder may take it, by the clock of whoever looked; 0 when nobody holds it.
    """

    spec: Spec | None
    free_at: float


def look(before: Sight | None, spec: Spec | None, now: float) -> Sight:
    """What is known after looking once more.

    Where there is no Lease, or one that nobody has held yet, an earlier one may have been deleted by hand a moment ago,
    and its holder does not know yet.
    """
    if before is not None and spec == before.spec:
        return before
    if spec:
        return Sight(spec, now + _duration(spec) if holder(spec) else 0.0)
    if before is None:
        return Sight(spec, now + REMADE_WITHIN)
    if before.spec is None:
        return Sight(spec, before.free_at)
    return Sight(spec, now + max(DURATION, _duration(before.spec)))


def holder(spec: Spec | None) -> str:
    """Who holds it; empty when nobody does."""
    return str((spec or {}).get("holderIdentity") or "")


def transitions(spec: Spec | None) -> int:
    """How often it passed to another holder."""
    return int((spec or {}).get("leaseTransitions") or 0)


def held(spec: Spec | None, identity: str, now: datetime) -> dict[str, Any]:
    """What the Lease says once this one has taken it, or renewed it."""
    mine = holder(spec) == identity
    since = spec.get("acquireTime") if spec and mine else None
    return {
        "holderIdentity": identity,
        "leaseDurationSeconds": DURATION,
        "acquireTime": since or _time(now),
        "renewTime": _time(now),
        "leaseTransitions": transitions(spec) + (1 if spec and not mine else 0),
    }


def released(spec: Spec, now: datetime) -> dict[str, Any]:
    """What it says once its holder has given it back."""
    return {"leaseDurationSeconds": 1, "renewTime": _time(now), "leaseTransitions": transitions(spec)}


def _duration(spec: Spec) -> float:
    """What its holder was promised, which another version may have chosen otherwise."""
    return float(min(max(1, int(spec.get("leaseDurationSeconds") or DURATION)), LONGEST))


def _time(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
