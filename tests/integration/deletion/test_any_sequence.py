"""Whatever users do in whatever order: when both are deleted in the end, nothing is left but the claim."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.e2e.resources import model_set, whisper_service
from tests.integration import jobs
from tests.integration.deletion.place import Place, place
from tests.integration.deletion.states import RETAINED
from tests.integration.operator_process import OperatorProcess
from tests.support.api_client import CLAIM, MODELSET, WHISPERSERVICE, ApiClient, Kind

SERVICES = ("speech", "other")
FAILED = {"outcome": "Failed", "reason": "HubUnreachable", "message": "it is away", "retryable": True}


def end_jobs(here: Place, code: int) -> None:
    """Each Job that runs ends, well or badly."""
    for component in (*jobs.STEPS, "remove"):
        if live := here.job(component):
            here.end_pod(live, code, jobs.made(component) if not code else FAILED)


MADE = ("Deployment", "Service", "ConfigMap", "Job")


def delete_a_child(here: Place, number: int) -> None:
    children = sorted(one for one in here.objects() if one.split("/")[0] in MADE)
    if children:
        kind, name = children[number % len(children)].split("/")
        here.delete(kind, name)


@dataclass(frozen=True)
class Step:
    says: str
    does: Callable[[Place], Any]

    def __repr__(self) -> str:
        return self.says


def service(name: str, **spec: Any) -> Step:
    return Step(f"apply {name} {spec}", lambda here: here.apply(whisper_service(name, **spec)))


def models(**spec: Any) -> Step:
    return Step(f"apply the set {spec}", lambda here: here.apply(model_set(**spec)))


def ended(code: int) -> Step:
    return Step(f"Jobs end with {code}", lambda here: end_jobs(here, code))


def child_deleted(number: int) -> Step:
    return Step(f"delete child {number}", lambda here: delete_a_child(here, number))


def deleted(kind: Kind, name: str, propagation: str) -> Step:
    return Step(f"delete {kind.kind}/{name} {propagation}", lambda here: here.delete(kind, name, propagation))


NAMES = st.sampled_from(SERVICES)
# With orphaned children a deletion leaves what it was told to leave: another test's subject.
PROPAGATION = st.sampled_from(["Background", "Foreground"])
STEPS = st.one_of(
    st.builds(service, NAMES),
    st.builds(service, NAMES, runtimes=st.builds(lambda n: {"cpu": {"replicas": n}}, st.integers(0, 3))),
    st.builds(service, NAMES, models=st.just("none-such")),
    st.builds(models, suspend=st.booleans()),
    st.builds(models, model=st.sampled_from(["tiny.en", "base", "none-such"])),
    st.builds(ended, st.sampled_from([0, 0, 1])),
    st.builds(child_deleted, st.integers(0, 99)),
    st.builds(deleted, st.just(WHISPERSERVICE), NAMES, PROPAGATION),
    st.builds(deleted, st.just(MODELSET), st.just("models"), PROPAGATION),
    st.builds(deleted, st.just(CLAIM), st.just("models-models"), PROPAGATION),
)
LAST = ((MODELSET, "models"), *((WHISPERSERVICE, name) for name in SERVICES))


@pytest.mark.timeout(1800)
@given(steps=st.lists(STEPS, min_size=6, max_size=20), last=st.permutations(LAST), ends=PROPAGATION)
@settings(
    max_examples=8,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),  # to shrink would mean hundreds of namespaces
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    print_blob=True,
)
def test_nothing_is_left_whatever_was_done(
    api: ApiClient, operator: OperatorProcess, steps: list[Step], last: list[tuple[Kind, str]], ends: str
) -> None:
    with place(api) as here:
        here.apply(model_set(), *(whisper_service(name) for name in SERVICES))
        for step in steps:
            step.does(here)
        for kind, name in last:
            here.delete(kind, name, ends)
        here.wait(lambda: here.objects() <= RETAINED, f"nothing is left after {steps}")
    assert "planning failed" not in operator.log.read_text()
