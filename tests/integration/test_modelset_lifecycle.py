"""What becomes of variants in time, on the real API server: added, compared, read again, renewed, taken away."""

import json
from typing import Any

from tests.e2e.resources import model_set, whisper_service
from tests.integration import jobs
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

WITHIN = 90.0
INT8, FP32 = {"format": "onnx", "precision": "int8"}, {"format": "onnx", "precision": "fp32"}
LONG_AGO = "2020-01-01T00:00:00Z"
BRANCH = {"huggingFace": {"repo": "me/tiny", "revision": "main"}}


def two_variants(*variants: dict[str, str], **model: Any) -> dict[str, Any]:
    return {"name": "tiny.en", "variants": list(variants), **model}


def ready(place: Kubectl, *manifests: dict[str, Any]) -> None:
    place.apply([*manifests])
    jobs.succeed_all(place)
    place.wait_condition("mset", "models", "Ready", within=WITHIN)
    wait_until(lambda: not place.items("jobs"), within=WITHIN, what="no Job is left")


def status(place: Kubectl) -> dict[str, Any]:
    found: dict[str, Any] = place.get("mset", "models").get("status", {})
    return found


def variant(place: Kubectl, form: str = "onnx") -> dict[str, Any]:
    return next((one for one in status(place).get("variants", []) if one["format"] == form), {})


def condition(place: Kubectl, name: str, kind: str = "mset", of: str = "models") -> tuple[str, str]:
    found = place.condition(kind, of, name)
    return found.get("status", ""), found.get("reason", "")


def wait_condition(place: Kubectl, name: str, wanted: tuple[str, str], kind: str = "mset", of: str = "models") -> None:
    wait_until(lambda: condition(place, name, kind, of) == wanted, within=WITHIN, what=f"{of} {name} is {wanted}")


def age(place: Kubectl, field: str) -> None:
    """As if all that the status tells had been long ago: the operator has no other clock for it."""
    variants = [one | ({field: LONG_AGO} if field in one else {}) for one in status(place)["variants"]]
    patch = json.dumps({"status": {"variants": variants}})
    place.run("patch", "mset", "models", "--subresource=status", "--type=merge", "-p", patch)


def test_a_variant_is_added_and_taken_away_live(place: Kubectl) -> None:
    ready(place, model_set())
    place.apply([model_set(models=[two_variants(INT8, FP32)])])
    jobs.succeed(place, "convert")
    jobs.succeed(place, "validate")
    wait_until(lambda: status(place)["ready"] == "3/3", within=WITHIN, what="the third variant is ready")

    place.apply([model_set(models=[two_variants(INT8)])])

    removal = jobs.job(place, "remove", within=WITHIN)
    args = removal["spec"]["template"]["spec"]["containers"][0]["args"]
    assert args[args.index("--precision") + 1] == "fp32"
    assert [one["precision"] for one in status(place)["leaving"]] == ["fp32"]
    jobs.succeed(place, "remove")
    wait_until(lambda: not status(place)["leaving"], within=WITHIN, what="it is gone")
    assert status(place)["ready"] == "2/2"
    wait_until(lambda: not place.items("jobs"), within=WITHIN, what="no Job is left")


def test_what_a_service_or_another_set_names_stays_on_the_claim(place: Kubectl) -> None:
    other = model_set("other", models=[two_variants(INT8)], storage={"existingClaim": "models-models"})
    ready(place, model_set())
    place.apply([other, whisper_service()])
    wait_until(lambda: status(place).get("usedBy") == ["speech"], within=WITHIN, what="the service is told of")
    place.apply([model_set(models=[{"name": "tiny.en"}])])

    def told() -> str:
        return str((status(place).get("leaving") or [{}])[0].get("message"))

    def names(*users: str) -> bool:
        return all(user in told() for user in users)

    wait_until(lambda: names("ModelSet other", "WhisperService speech"), within=WITHIN, what="both are named")
    place.run("delete", "wsvc", "speech")
    wait_until(lambda: "named by ModelSet other:" in told(), within=WITHIN, what="the set is left")
    assert not place.items("jobs", "-l", f"{jobs.COMPONENT}=remove")
    place.run("delete", "mset", "other")
    jobs.succeed(place, "remove")
    wait_until(lambda: not status(place)["leaving"], within=WITHIN, what="it is gone")


def test_a_suspended_set_removes_nothing(place: Kubectl) -> None:
    ready(place, model_set())
    place.apply([model_set(models=[{"name": "tiny.en"}], suspend=True)])
    wait_until(lambda: status(place).get("leaving"), within=WITHIN, what="it is to leave")
    assert status(place)["leaving"][0]["reason"] == "Suspended"
    assert not place.items("jobs")
    place.apply([model_set(models=[{"name": "tiny.en"}], suspend=False)])
    jobs.succeed(place, "remove")


def test_what_transcribes_too_differently_is_not_served_until_less_is_asked_for(place: Kubectl) -> None:
    place.apply([model_set(), whisper_service()])
    jobs.succeed(place, "download")
    jobs.succeed(place, "convert")
    unverified = jobs.made("validate", similarity=0.81) | {"outcome": "Unverified"}
    jobs.end(place, jobs.job(place, "validate"), 3, unverified)

    wait_condition(place, "Verified", ("False", "VariantUnverified"))
    wait_condition(place, "Stalled", ("True", "VariantUnverified"))
    wait_condition(place, "ModelsReady", ("False", "VariantUnverified"), "wsvc", "speech")
    assert variant(place)["similarity"] == 0.81
    assert "0.810" in place.condition("mset", "models", "Verified")["message"]
    assert not place.find("deployment", "speech-cpu")

    place.apply([model_set(validation={"similarity": 0.8}), whisper_service()])
    passed = jobs.made("validate", similarity=0.81) | {"threshold": 0.8}
    jobs.end(place, jobs.job(place, "validate"), 0, passed)
    wait_condition(place, "ModelsReady", ("True", "Ready"), "wsvc", "speech")
    wait_condition(place, "Verified", ("True", "Verified"))


def test_a_set_that_only_reports_serves_before_and_whatever_the_comparison_says(place: Kubectl) -> None:
    place.apply([model_set(validation={"policy": "Report"}), whisper_service()])
    jobs.succeed(place, "download")
    jobs.succeed(place, "convert")
    wait_condition(place, "ModelsReady", ("True", "Ready"), "wsvc", "speech")
    wait_condition(place, "Verified", ("Unknown", "NotValidated"))
    jobs.end(place, jobs.job(place, "validate"), 0, jobs.made("validate", similarity=0.5) | {"threshold": 0})
    wait_condition(place, "Verified", ("False", "VariantUnverified"))
    assert condition(place, "Ready") == ("True", "Ready")
    assert condition(place, "ModelsReady", "wsvc", "speech") == ("True", "Ready")


def test_what_lies_on_the_claim_is_read_again_on_schedule_and_mended_where_it_is_damaged(place: Kubectl) -> None:
    place.apply([model_set(reverifyEvery="168h", models=[{"name": "tiny.en"}])])
    jobs.succeed(place, "download")
    place.wait_condition("mset", "models", "Ready", within=WITHIN)
    wait_until(lambda: not place.items("jobs"), within=WITHIN, what="no Job is left")

    age(place, "verifiedAt")
    jobs.succeed(place, "verify")
    wait_until(lambda: variant(place, "pytorch")["verifiedAt"] > LONG_AGO, within=WITHIN, what="that is noted")
    assert condition(place, "Ready") == ("True", "Ready")
    wait_until(lambda: not place.items("jobs"), within=WITHIN, what="no Job is left")

    age(place, "verifiedAt")
    jobs.fail(place, "verify", "ChecksumMismatch")
    wait_condition(place, "Verified", ("False", "ChecksumMismatch"))
    again = jobs.job(place, "download", within=WITHIN)
    args = again["spec"]["template"]["spec"]["containers"][0]["args"]
    assert args[args.index("--revision") + 1] == "0" * 40, "the same revision is mended, whatever a branch means now"
    jobs.succeed(place, "download")
    place.wait_condition("mset", "models", "Ready", within=WITHIN)


def test_a_new_revision_of_a_branch_is_made_beside_and_rolls_the_pods(place: Kubectl) -> None:
    model = two_variants(INT8, source=BRANCH)
    ready(place, model_set(models=[model], refreshPolicy="OnChange"), whisper_service())
    wait_until(lambda: place.find("deployment", "speech-cpu"), within=WITHIN, what="the runtime is made")

    age(place, "refreshedAt")
    new = "sha256:" + "b" * 64
    jobs.succeed(place, "refresh", new)
    jobs.job(place, "convert", within=WITHIN)
    assert variant(place, "pytorch")["digest"] == new
    assert place.find("deployment", "speech-cpu"), "meanwhile the old one is served"
    jobs.succeed(place, "convert", "sha256:" + "c" * 64)
    jobs.succeed(place, "validate", "sha256:" + "c" * 64)

    def rolled() -> bool:
        notes = place.get("deployment", "speech-cpu")["spec"]["template"]["metadata"]["annotations"]
        return bool(notes["whisper.livetranslate.io/model-digest"] == "sha256:" + "c" * 64)

    wait_until(rolled, within=WITHIN, what="the pods are rolled")


def test_a_branch_is_asked_about_once_where_nothing_else_is_said(place: Kubectl) -> None:
    ready(place, model_set(models=[two_variants(INT8, source=BRANCH)]))
    age(place, "refreshedAt")
    wait_until(lambda: variant(place, "pytorch")["refreshedAt"] == LONG_AGO, within=WITHIN)
    place.apply([model_set(models=[two_variants(INT8, FP32, source=BRANCH)])])
    jobs.job(place, "convert", within=WITHIN)
    assert not place.items("jobs", "-l", f"{jobs.COMPONENT}=refresh")


def test_a_service_that_turns_to_another_set_is_not_told_of_by_the_first(place: Kubectl) -> None:
    place.apply([model_set(), model_set("others"), whisper_service()])
    wait_until(lambda: status(place).get("usedBy") == ["speech"], within=WITHIN, what="the first set tells of it")
    place.apply([whisper_service(models="others")])
    wait_until(lambda: status(place).get("usedBy") == [], within=WITHIN, what="the first set tells of nobody")
    wait_until(lambda: place.get("mset", "others")["status"]["usedBy"] == ["speech"], within=WITHIN)


def test_a_set_that_is_removed_leaves_what_is_served(place: Kubectl) -> None:
    ready(place, model_set(), whisper_service())
    before = wait_until(lambda: place.find("deployment", "speech-cpu"), within=WITHIN, what="the runtime is made")
    assert before
    place.run("delete", "mset", "models")
    wait_condition(place, "ModelsReady", ("False", "ModelSetNotFound"), "wsvc", "speech")
    after = place.get("deployment", "speech-cpu")
    assert after["metadata"]["generation"] == before["metadata"]["generation"]
    assert place.get("pvc", "models-models")
