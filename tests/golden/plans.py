"""What the golden tests of both resources share: a fixed clock, a case's objects, a plan as data."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from whisper_operator.plan.types import Plan

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def objects(case: Path) -> dict[str, list[dict[str, Any]]]:
    """A case is a file of the objects that the operator would see; here by kind."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in yaml.safe_load_all(case.read_text()):
        found.setdefault(one["kind"], []).append(one)
    return found


def as_data(plan: Plan) -> dict[str, Any]:
    """Everything that a plan says, in the order in which a person reads it."""
    return {
        "status": plan.status,
        "events": [f"{event.type} {event.reason}: {event.message}" for event in plan.events],
        "lookAgainSeconds": None if plan.look_again is None else plan.look_again.total_seconds(),
        "prune": [f"{one.kind}/{one.name}" for one in plan.prune],
        **({"hold": [f"{one.kind}/{one.name}" for one in plan.hold]} if plan.hold else {}),
        **({"release": [f"{one.kind}/{one.name}" for one in plan.release]} if plan.release else {}),
        "apply": list(plan.apply),
    }
