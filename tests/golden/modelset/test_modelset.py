"""What becomes of a ModelSet: everything that is applied, and everything that is said."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from whisper_operator.api.modelset import ModelSet
from whisper_operator.plan.modelset import plan_modelset
from whisper_operator.plan.types import Defaults, Images, ObservedModelSet, Plan, Progress

from tests.golden.conftest import Check

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DEFAULTS = Defaults(
    images=Images(
        models="whisper-models:1", runtimes={"cpu": "whisper-cpu:1"}, router="envoy:1", pull_secrets=("pull",)
    ),
    hub_endpoint="http://hub.example",
)


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_plan_of(case: Path, golden: Check) -> None:
    plan = plan_modelset(observed(case))
    golden(case.parents[1] / "expected" / case.name, as_data(plan))


def observed(case: Path) -> ObservedModelSet:
    """A case is a file of the objects that the operator would see."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in yaml.safe_load_all(case.read_text()):
        found.setdefault(one["kind"], []).append(one)
    events = found.get("Event", [])
    return ObservedModelSet(
        resource=ModelSet.model_validate(found["ModelSet"][0]),
        claim=next(iter(found.get("PersistentVolumeClaim", [])), None),
        claim_events=tuple(one for one in events if one["involvedObject"]["kind"] == "PersistentVolumeClaim"),
        storage_classes={one["metadata"]["name"]: one for one in found.get("StorageClass", [])},
        jobs=tuple(found.get("Job", [])),
        pods=tuple(found.get("Pod", [])),
        job_events=tuple(one for one in events if one["involvedObject"]["kind"] != "PersistentVolumeClaim"),
        progress={one["job"]: Progress(**one["said"]) for one in found.get("Progress", [])},
        services=tuple(one["metadata"]["name"] for one in found.get("WhisperService", [])),
        now=NOW,
        defaults=DEFAULTS,
    )


def as_data(plan: Plan) -> dict[str, Any]:
    return {
        "status": plan.status,
        "events": [f"{event.type} {event.reason}: {event.message}" for event in plan.events],
        "lookAgainSeconds": None if plan.look_again is None else plan.look_again.total_seconds(),
        "prune": [f"{one.kind}/{one.name}" for one in plan.prune],
        "apply": list(plan.apply),
    }
