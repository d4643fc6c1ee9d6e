"""What becomes of a ModelSet: everything that is applied, and everything that is said."""

from pathlib import Path

import pytest
from whisper_operator.api.modelset import ModelSet
from whisper_operator.api.whisperservice import WhisperService
from whisper_operator.plan.modelset import plan_modelset
from whisper_operator.plan.modelset.repair import claim_served
from whisper_operator.plan.types import Defaults, Images, ObservedModelSet, Progress

from tests.golden.conftest import Check
from tests.golden.plans import NOW, as_data, objects

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
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
    found = objects(case)
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
        readers=tuple(one for one in found.get("Pod", []) if claim_served(one)),
        services=tuple(one["metadata"]["name"] for one in found.get("WhisperService", [])),
        users=tuple(WhisperService.model_validate(one) for one in found.get("WhisperService", []) if "spec" in one),
        others=tuple(ModelSet.model_validate(one) for one in found["ModelSet"][1:]),
        now=NOW,
        defaults=DEFAULTS,
    )
