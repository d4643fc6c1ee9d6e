"""Which of the operator's settings reach a pod: a new setting must not restart what serves."""

from dataclasses import fields, replace
from typing import Any

import pytest
from whisper_operator.config import Config
from whisper_operator.plan.modelset.job import job
from whisper_operator.plan.modelset.task import making
from whisper_operator.plan.modelset.wanted import wanted_variants
from whisper_operator.plan.service import plan_service
from whisper_operator.plan.types import Manifest

from tests.unit.service.builders import modelset, observed

ROLLS = {
    "cpu_image": {"Deployment/speech-cpu"},
    "router_image": {"Deployment/speech-router"},
    "models_image": {"Job"},
    "hub_endpoint": {"Job"},
    "pull_policy": {"Deployment/speech-cpu", "Deployment/speech-router", "Job"},
    "pull_secrets": {"Deployment/speech-cpu", "Deployment/speech-router", "Job"},
    # the router's configuration names the runtimes by their whole names
    "cluster_domain": {"Deployment/speech-router"},
}
"""Settings that are about pods, and whose; every other one is about the operator's own process."""
OTHERWISE: dict[str, Any] = {"pull_policy": "Always", "log_level": "DEBUG"}


def templates(config: Config) -> dict[str, Manifest]:
    """The pods that this configuration asks for, by what makes them."""
    models = modelset()
    planned = plan_service(observed(defaults=config.defaults)).apply
    found = {
        f"Deployment/{one['metadata']['name']}": one["spec"]["template"] for one in planned if "Deploy" in one["kind"]
    }
    base = wanted_variants(models, "models-models", "uid")[0]
    return found | {"Job": job(models, making(base), config.defaults)["spec"]["template"]}


def another(name: str, value: Any) -> Any:
    match value:
        case _ if name in OTHERWISE:
            return OTHERWISE[name]
        case tuple():
            return ("another",)
        case bool():
            return not value
        case int() | float():
            return value + 1
        case _:
            return "another"


@pytest.mark.parametrize("name", [field.name for field in fields(Config)])
def test_a_setting_changes_the_pods_that_it_is_about_and_no_others(name: str) -> None:
    usual = Config()
    changed = replace(usual, **{name: another(name, getattr(usual, name))})
    before, after = templates(usual), templates(changed)
    assert {one for one in before if before[one] != after[one]} == ROLLS.get(name, set())


def test_the_pods_are_the_same_each_time_they_are_planned() -> None:
    assert templates(Config()) == templates(Config())
