"""Fifty services in one namespace, half with names at the limit that differ in the last letter: none meets another."""

import string
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from whisper_operator.api.resource import NAME_LIMIT

from tests.e2e.resources import model_set, whisper_service
from tests.integration import jobs
from tests.integration.deletion.place import Place, place
from tests.integration.operator_process import OperatorProcess
from tests.support.api_client import CLAIM, JOB, MODELSET, WHISPERSERVICE, ApiClient, Object
from tests.support.kubectl import Kubectl

LONGEST = "n" * (NAME_LIMIT - 1)
MODEL_LIMIT = 63
AT_THE_LIMIT = [LONGEST + letter for letter in string.ascii_lowercase]
LOOKALIKES = ["a", "a-b", "a-b-c", "ab", "a-cpu-b", "a-router-b", "a-models", "models", "models-models", "x", "x-1"]
SERVICES = [*AT_THE_LIMIT, *LOOKALIKES, *(f"speech-{number}" for number in range(50 - 26 - len(LOOKALIKES)))]
SETS = [LONGEST + "a", LONGEST + "b"]
MODELS = ["m" * (MODEL_LIMIT - 1) + letter for letter in "ab"]
OF_A_SERVICE = Counter(Deployment=2, Service=3, ConfigMap=1, PodDisruptionBudget=1)
OURS = "app.kubernetes.io/managed-by=whisper-operator"


@pytest.fixture(scope="module")
def api(api_server: Kubectl) -> Iterator[ApiClient]:
    with ApiClient.of(api_server.kubeconfig) as client:
        yield client


@pytest.fixture(scope="module")
def crowded(api: ApiClient, operator: OperatorProcess) -> Iterator[Place]:
    """All of them, whole."""
    assert operator.get("/readyz")[0] == 200
    with place(api) as here:
        here.apply(model_set("models"))
        for component in jobs.STEPS:
            here.end_job(component, 0, jobs.made(component))
        here.apply(*(whisper_service(name) for name in SERVICES))
        here.wait(lambda: len(owned(here)) >= len(SERVICES) * OF_A_SERVICE.total(), "everything is made")
        yield here


def owned(here: Place) -> list[tuple[Object, str]]:
    """Each object of a service, with the UID of its owner."""
    made = [one for one in here.everything() if one["kind"] in OF_A_SERVICE]
    return [(one, one["metadata"]["ownerReferences"][0]["uid"]) for one in made]


def test_there_are_fifty_and_half_of_them_are_at_the_limit() -> None:
    assert len(set(SERVICES)) == 50
    assert sum(len(name) == NAME_LIMIT for name in SERVICES) == 26


def test_each_has_all_of_its_objects_and_owns_them_alone(crowded: Place) -> None:
    uids = {one["metadata"]["uid"]: one["metadata"]["name"] for one in crowded.api.items(WHISPERSERVICE, crowded.name)}
    by_owner = {name: Counter[str]() for name in uids.values()}
    for one, uid in owned(crowded):
        assert len(one["metadata"]["ownerReferences"]) == 1
        assert one["metadata"]["labels"]["whisper.livetranslate.io/service"] == uids[uid]
        by_owner[uids[uid]] = by_owner[uids[uid]] + Counter([one["kind"]])
    assert {name: count for name, count in by_owner.items() if count != OF_A_SERVICE} == {}


def test_none_says_that_a_name_is_taken(crowded: Place) -> None:
    reasons = Counter(crowded.reason(WHISPERSERVICE, name, "Stalled") for name in SERVICES)
    assert reasons == {"": len(SERVICES)}


def test_no_selector_finds_the_pods_of_another(crowded: Place) -> None:
    selectors = [
        (one["spec"]["selector"].get("matchLabels", one["spec"]["selector"]), one)
        for one, _ in owned(crowded)
        if "selector" in one.get("spec", {})
    ]
    templates = [one for one, _ in owned(crowded) if one["kind"] == "Deployment"]
    for selector, by in selectors:
        found = [one for one in templates if selector.items() <= one["spec"]["template"]["metadata"]["labels"].items()]
        service = by["metadata"]["labels"]["whisper.livetranslate.io/service"]
        assert [one["metadata"]["labels"]["whisper.livetranslate.io/service"] for one in found] == [service]


def test_sets_and_models_at_the_limit_have_a_claim_and_a_job_each(crowded: Place) -> None:
    source = {"huggingFace": {"repo": "o/r", "revision": "main"}}
    models = [{"name": name, "source": source} for name in MODELS]
    crowded.apply(*(model_set(name, models=models) for name in SETS))
    crowded.wait(lambda: len(crowded.api.items(JOB, crowded.name)) == len(SETS) * len(MODELS), "every Job is made")

    claims = {one["metadata"]["name"]: one["metadata"]["labels"] for one in crowded.api.items(CLAIM, crowded.name)}
    live = crowded.api.items(JOB, crowded.name)
    asked = {
        (one["spec"]["template"]["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"], _model(one))
        for one in live
    }
    assert {f"{name}-models" for name in SETS} <= set(claims)
    assert asked == {(f"{name}-models", model) for name in SETS for model in MODELS}
    for name in SETS:
        crowded.delete(MODELSET, name)
    crowded.wait(lambda: not crowded.api.items(JOB, crowded.name), "their Jobs go with them")


def _model(job: Object) -> str:
    args = job["spec"]["template"]["spec"]["containers"][0]["args"]
    return str(args[args.index("--models") + 1])


def test_when_all_are_deleted_only_the_claims_are_left(
    crowded: Place, record_property: Callable[[str, object], None]
) -> None:
    began = time.monotonic()
    for name in SERVICES:
        crowded.delete(WHISPERSERVICE, name)
    crowded.delete(MODELSET, "models")
    crowded.wait_left(frozenset(f"PersistentVolumeClaim/{name}-models" for name in ("models", *SETS)))
    record_property("seconds_until_gone", round(time.monotonic() - began))
