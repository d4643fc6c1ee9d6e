"""What becomes of a WhisperService: everything that is applied, and everything that is said."""

from pathlib import Path
from typing import Any

import pytest
from whisper_operator.api.modelset import ModelSet
from whisper_operator.api.whisperservice import WhisperService
from whisper_operator.plan.service import plan_service
from whisper_operator.plan.types import Defaults, Images, ObservedService, RouterHealth, TierHealth

from tests.golden.conftest import Check
from tests.golden.plans import NOW, as_data, objects

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
RUNTIMES = {name: f"whisper-{name}:1" for name in ("npu", "cpu")}
DEFAULTS = Defaults(images=Images(models="whisper-models:1", runtimes=RUNTIMES, router="envoy:1"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_plan_of(case: Path, golden: Check) -> None:
    plan = plan_service(observed(case))
    golden(case.parents[1] / "expected" / case.name, as_data(plan))


def observed(case: Path) -> ObservedService:
    found = objects(case)
    models, health = found.pop("ModelSet", []), found.pop("RouterHealth", [])
    return ObservedService(
        resource=WhisperService.model_validate(found.pop("WhisperService")[0]),
        modelset=ModelSet.model_validate(models[0]) if models else None,
        pods=tuple(found.pop("Pod", [])),
        owned=tuple(one for several in found.values() for one in several),
        router=router(health[0]) if health else None,
        now=NOW,
        defaults=DEFAULTS,
    )


def router(said: dict[str, Any]) -> RouterHealth:
    """One view for each router pod; null for one that did not answer."""
    views = said["views"].items()
    return RouterHealth(
        {
            pod: None if view is None else {name: TierHealth(**tier) for name, tier in view.items()}
            for pod, view in views
        }
    )
