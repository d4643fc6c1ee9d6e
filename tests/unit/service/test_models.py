"""Which artifact a runtime serves."""

from typing import Any

import pytest
from whisper_operator.api.conditions import Reason
from whisper_operator.plan.service import plan_service
from whisper_operator.plan.service.models import Artifact, Wanted, find, served_by
from whisper_operator.plan.types import Plan

from tests.unit.service.builders import DIGEST, Object, again, conditions, live, modelset, observed, service, serving

WANT = Wanted("tiny.en", "onnx", "int8")
OLD = Artifact("tiny.en", "onnx", "int8", "sha256:old", "models-models")
NEW = Artifact("tiny.en", "onnx", "int8", DIGEST, "models-models")


def runtime(plan: Plan) -> Object | None:
    return next(
        (one for one in plan.apply if one["metadata"]["name"] == "speech-cpu" and one["kind"] == "Deployment"), None
    )


@pytest.mark.parametrize(
    ("says", "models", "artifact", "reason", "stalled"),
    [
        ("a ready variant is served", modelset(), NEW, Reason.READY, False),
        ("the catalogue's long name is the same model", modelset(model="whisper-tiny.en"), NEW, Reason.READY, False),
        ("no model set: what serves goes on", None, OLD, Reason.MODEL_SET_NOT_FOUND, False),
        ("another model: a person must choose", modelset(model="base"), OLD, Reason.VARIANT_MISSING, True),
        ("a variant in the making: what serves goes on", modelset("Converting"), OLD, Reason.VARIANT_PENDING, False),
        ("a variant that failed: what serves goes on", modelset("Failed"), OLD, Reason.VARIANT_PENDING, False),
        (
            "a variant that transcribes too differently: a person must choose",
            modelset("Failed", reason="VariantUnverified", message="0.81, and 0.95 is asked for"),
            OLD,
            Reason.VARIANT_UNVERIFIED,
            True,
        ),
        ("ready without a digest is not ready", modelset(digest=""), OLD, Reason.VARIANT_PENDING, False),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_find(says: str, models: Any, artifact: Artifact, reason: Reason, stalled: bool) -> None:  # noqa: FBT001 - a column of the table
    found = find(WANT, models, "models", OLD)
    assert (found.artifact, found.reason, found.stalled) == (artifact, reason, stalled)
    assert found.message


def test_no_pod_is_made_before_there_is_a_model() -> None:
    plan = plan_service(observed(modelset=modelset("Downloading")))
    assert runtime(plan) is None
    assert conditions(plan)["ModelsReady"] == ("False", "VariantPending")


def test_a_model_set_that_goes_does_not_break_what_serves() -> None:
    before = serving()
    plan = plan_service(serving(modelset=None, owned=before.owned))
    assert runtime(plan) == runtime(plan_service(before))
    assert not plan.prune
    assert conditions(plan)["Ready"] == ("True", "Ready")
    assert conditions(plan)["ModelsReady"] == ("False", "ModelSetNotFound")


def test_a_model_set_that_cannot_be_read_is_named_and_what_serves_goes_on() -> None:
    before = serving()
    unreadable = {"modelset": None, "modelset_error": "spec.models: Field required"}
    plan = plan_service(serving(**unreadable, owned=before.owned))
    assert runtime(plan) == runtime(plan_service(before))
    assert not plan.prune
    assert conditions(plan)["Ready"] == ("True", "Ready")
    assert conditions(plan)["ModelsReady"] == ("False", "ModelSetInvalid")
    assert conditions(plan)["Stalled"] == ("True", "ModelSetInvalid")
    message = next(one["message"] for one in (plan.status or {})["conditions"] if one["type"] == "ModelsReady")
    assert "ModelSet 'models' cannot be read (spec.models: Field required)" in message


def test_what_serves_without_its_model_set_is_still_scaled() -> None:
    before = serving()
    plan = plan_service(serving(modelset=None, owned=before.owned, resource=service(runtimes={"cpu": {"replicas": 5}})))
    deployment = runtime(plan)
    assert deployment is not None
    assert deployment["spec"]["replicas"] == 5


def test_another_model_is_rolled_out_only_when_it_is_there() -> None:
    before = serving()
    wish = service(model="base")
    waiting = plan_service(serving(resource=wish, owned=before.owned, modelset=modelset("Downloading", model="base")))
    assert served_by(runtime(waiting)) == NEW
    there = plan_service(serving(resource=wish, owned=before.owned, modelset=modelset(model="base", digest="sha256:b")))
    assert served_by(runtime(there)) == Artifact("base", "onnx", "int8", "sha256:b", "models-models")


def test_a_new_digest_makes_new_pods() -> None:
    first, second = (plan_service(observed(modelset=modelset(digest=f"sha256:{n}"))) for n in (1, 2))
    one, two = runtime(first), runtime(second)
    assert one is not None
    assert two is not None
    assert one["spec"]["template"] != two["spec"]["template"]


def test_a_deployment_without_our_notes_serves_nothing_that_we_know() -> None:
    assert served_by({"spec": {"template": {"metadata": {}}}}) is None
    assert (
        served_by({"spec": {"template": {"metadata": {"annotations": {"whisper.livetranslate.io/variant": "x"}}}}})
        is None
    )


def test_an_edited_deployment_is_put_right() -> None:
    before = serving()
    edited = [one | {"spec": {}} if one["kind"] == "Deployment" else one for one in before.owned]
    assert runtime(plan_service(serving(owned=tuple(edited)))) == runtime(plan_service(before))


def test_the_round_trip_of_what_is_served() -> None:
    plan = plan_service(observed())
    deployment = next(
        one for one in live(plan) if one["metadata"]["name"] == "speech-cpu" and one["kind"] == "Deployment"
    )
    assert served_by(deployment) == NEW
    assert again(observed(), plan).resource.status.runtimes[0].model == "tiny.en"
