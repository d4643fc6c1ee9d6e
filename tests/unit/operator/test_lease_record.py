"""What a Lease says, and from when on another may take it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from whisper_operator.plan.lease import (
    DURATION,
    LONGEST,
    REMADE_WITHIN,
    Sight,
    held,
    holder,
    look,
    released,
    transitions,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)


def spec(**fields: Any) -> dict[str, Any]:
    return held(None, "a", NOW) | fields


@dataclass(frozen=True)
class Case:
    says: str
    spec: dict[str, Any] | None
    waits: float
    before: Sight | None = None


CASES = [
    Case("no Lease: somebody may have deleted it this moment", None, REMADE_WITHIN),
    Case("given back: at once", released(spec(), NOW), 0),
    Case("made and never held: as above", {}, REMADE_WITHIN),
    Case("an empty holder: at once", spec(holderIdentity=""), 0),
    Case("held: for as long as a holder has", spec(), DURATION),
    Case("held by another version: for as long as that one was promised", spec(leaseDurationSeconds=20), 20),
    Case("held for ever by who knows whom: for so long and no longer", spec(leaseDurationSeconds=2**31 - 1), LONGEST),
    Case("held without a duration: for as long as ours", {"holderIdentity": "x"}, DURATION),
    Case("renewed: anew", spec(renewTime="later"), DURATION, Sight(spec(), 5)),
    Case("vanished: its holder may not know yet", None, DURATION, Sight(spec(), 5)),
    Case(
        "vanished after it was given back: another may have taken it", None, DURATION, Sight(released(spec(), NOW), 0)
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_when_another_may_take_it(case: Case) -> None:
    assert look(case.before, case.spec, 100).free_at == (100 + case.waits if case.waits else 0)


def test_making_what_is_not_there_changes_no_time() -> None:
    assert look(Sight(None, 105), {}, 101) == Sight({}, 105)


@pytest.mark.parametrize("last", [spec(), spec(leaseDurationSeconds=20), None])
def test_looking_again_at_what_has_not_changed_gives_nobody_more_time(last: dict[str, Any] | None) -> None:
    first = look(Sight(spec(), 5), last, 100)
    assert look(first, last and dict(last), 109) == first


def test_who_takes_it_counts_a_transition_and_who_renews_it_does_not() -> None:
    made = held(None, "a", NOW)
    renewed = held(made, "a", datetime(2026, 1, 2, 3, 4, 7, tzinfo=UTC))
    taken = held(released(renewed, NOW), "b", NOW)
    assert [transitions(one) for one in (made, renewed, taken)] == [0, 0, 1]
    assert [holder(one) for one in (made, renewed, released(made, NOW), taken)] == ["a", "a", "", "b"]


def test_renewing_keeps_the_time_since_when_it_is_held() -> None:
    renewed = held(spec(), "a", datetime(2026, 1, 2, 3, 4, 7, tzinfo=UTC))
    assert (renewed["acquireTime"], renewed["renewTime"]) == (
        "2026-01-02T03:04:05.000006Z",
        "2026-01-02T03:04:07.000000Z",
    )
