"""A variant that somebody publishes ready-made, on the real API server: status and Events say where it is from."""

from typing import Any

from tests.e2e.resources import model_set
from tests.integration import jobs
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

GGML = {"format": "ggml", "precision": "q5_1"}
CTRANSLATE2 = {"format": "ctranslate2", "precision": "fp16"}
WHY = "the hub has no Systran/faster-whisper-tiny.en"


CONVERTED = "sha256:" + "c" * 64


def set_of(*variants: dict[str, str], **spec: Any) -> dict[str, Any]:
    return model_set(models=[{"name": "tiny.en", "variants": list(variants)}], validation={"policy": "Report"}, **spec)


def known(place: Kubectl, variant: dict[str, str]) -> dict[str, Any]:
    """What the status says of a variant; empty before it says anything."""
    listed = place.get("mset", "models").get("status", {}).get("variants", [])
    return next((one for one in listed if variant.items() <= one.items()), {})


def had(place: Kubectl, variant: dict[str, str], **said: str) -> dict[str, Any]:
    """The Job that has it ends with these words; its status, once it is there."""
    jobs.end(place, jobs.job(place, "take"), 0, jobs.made("take") | said)
    wait_until(lambda: known(place, variant).get("digest"), within=90, what=f"{variant} is there")
    return known(place, variant)


def rests(place: Kubectl) -> bool:
    """Ready by what the spec says now, and no Job is left to be done."""
    found = place.get("mset", "models")
    status, variants = found["status"], len(found["status"].get("variants", []))
    current = status.get("observedGeneration") == found["metadata"]["generation"]
    return current and status["ready"] == f"{variants}/{variants}" and not place.items("jobs")


def test_it_says_whose_it_is_or_why_it_was_converted(place: Kubectl) -> None:
    place.apply([set_of(GGML)])
    jobs.succeed(place, "download")
    taken = had(place, GGML, premade="ggerganov/whisper.cpp")
    assert (taken["takenFrom"], taken.get("madeFrom")) == ("ggerganov/whisper.cpp", None)
    jobs.succeed(place, "validate")

    place.apply([set_of(GGML, CTRANSLATE2)])
    converted = had(place, CTRANSLATE2, converted_because=WHY)
    assert (converted["convertedBecause"], converted.get("takenFrom")) == (WHY, None)
    assert converted["madeFrom"] == "sha256:" + "a" * 64
    told = place.items("events", "--field-selector", "involvedObject.kind=ModelSet,reason=VariantReady")
    assert any("as ggerganov/whisper.cpp publishes it" in one["message"] for one in told)
    assert any(WHY in one["message"] for one in told)


def test_never_converts_and_makes_anew_only_what_was_taken(place: Kubectl) -> None:
    place.apply([set_of(GGML)])
    jobs.succeed(place, "download")
    had(place, GGML, premade="ggerganov/whisper.cpp")
    jobs.succeed(place, "validate")
    place.apply([set_of(GGML, CTRANSLATE2)])
    had(place, CTRANSLATE2, converted_because=WHY)
    jobs.succeed(place, "validate")
    wait_until(lambda: rests(place), within=90, what="one was taken and one converted")
    converted = known(place, CTRANSLATE2)

    place.apply([set_of(GGML, CTRANSLATE2, readyMade="Never")])
    converting = jobs.job(place, "convert")
    words = converting["spec"]["template"]["spec"]["containers"][0]["args"]
    assert words[:8] == ["convert", "--root", "/models", "--model", "tiny.en", "--format", "ggml", "--precision"]
    assert [one["metadata"]["name"] for one in place.items("jobs")] == [converting["metadata"]["name"]]
    jobs.end(place, converting, 0, jobs.made("convert", CONVERTED))
    jobs.succeed(place, "validate")
    wait_until(lambda: rests(place), within=90, what="what was taken is converted")
    assert (known(place, GGML)["digest"], known(place, GGML).get("takenFrom")) == (CONVERTED, None)
    assert known(place, CTRANSLATE2)["verifiedAt"] == converted["verifiedAt"]

    place.apply([set_of(GGML, CTRANSLATE2, readyMade="IfPublished")])
    wait_until(lambda: rests(place), within=90, what="nothing is made again")
    assert known(place, GGML)["digest"] == CONVERTED
    assert "before" in known(place, GGML)["convertedBecause"]
