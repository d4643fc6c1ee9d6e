"""One set for every kind of runtime: each format is had on the claim, compared with its original, and taken away."""

import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.environment import Environment, make_namespace
from tests.e2e.resources import model_set, reader_pod
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

FORMATS = {
    ("onnx", "int8"): "onnx/whisper-tiny.en/int8",
    ("openvino", "int8"): "openvino/whisper-tiny.en/int8",
    ("ggml", "q5_1"): "ggml/ggml-tiny.en-q5_1.bin",
    ("ctranslate2", "fp16"): "ctranslate2/whisper-tiny.en/fp16",
}
READY_MADE, PUBLISHER = ("ctranslate2", "fp16"), "Systran/faster-whisper-tiny.en"
"""The hub has it as the catalogue's publisher does."""
NOT_THERE, OTHER_PUBLISHER = ("ggml", "q5_1"), "ggerganov/whisper.cpp"
"""The catalogue knows who publishes it, and the hub does not have that repository. Nobody publishes the others."""
VARIANTS = [{"format": form, "precision": precision} for form, precision in FORMATS]
SHARED = {"claimTemplate": {"accessModes": ["ReadWriteMany"], "size": "2Gi"}}


@pytest.fixture(scope="module")
def formats(installed: Environment) -> Iterator[Kubectl]:
    """A namespace with a set of all formats, ready."""
    kubectl = make_namespace(installed.kubectl, f"formats-{secrets.token_hex(3)}")
    kubectl.apply([set_of(VARIANTS)])
    kubectl.wait_condition("mset", "models", "Ready", within=600)
    yield kubectl
    installed.kubectl.run("delete", "namespace", str(kubectl.namespace), "--wait=false")


def set_of(variants: list[dict[str, str]], name: str = "models", **storage: Any) -> dict[str, Any]:
    return model_set(name, models=[{"name": "tiny.en", "variants": variants}], storage=storage or SHARED)


def variants_of(kubectl: Kubectl, name: str = "models") -> dict[tuple[str, str], dict[str, Any]]:
    found = kubectl.get("mset", name)["status"]["variants"]
    return {(one["format"], one["precision"]): one for one in found}


def test_every_format_is_ready_and_says_what_it_is(formats: Kubectl) -> None:
    found = variants_of(formats)

    assert set(found) == {("pytorch", "stored"), *FORMATS}
    for form, path in FORMATS.items():
        one = found[form]
        assert (one["state"], one["path"]) == ("Ready", path), one
        assert one["digest"].startswith("sha256:")
        assert float(one["similarity"]) >= 0.95, one
    assert formats.condition("mset", "models", "Verified").get("status") == "True"


def test_what_the_hub_has_ready_made_is_taken_and_all_else_is_converted(formats: Kubectl) -> None:
    found = variants_of(formats)

    base, taken = found["pytorch", "stored"]["digest"], found[READY_MADE]
    assert (taken.get("takenFrom"), taken.get("madeFrom")) == (PUBLISHER, None), taken
    for form in set(FORMATS) - {READY_MADE}:
        assert (found[form].get("takenFrom"), found[form].get("madeFrom")) == (None, base), found[form]
    why = {form: one["convertedBecause"] for form, one in found.items() if "convertedBecause" in one}
    assert set(why) == {NOT_THERE}
    assert OTHER_PUBLISHER in why[NOT_THERE]
    told = formats.items("events", "--field-selector", "involvedObject.kind=ModelSet,reason=VariantReady")
    messages = [one["message"] for one in told]
    assert any(f"as {PUBLISHER} publishes it" in one for one in messages), messages
    assert any(f"not taken ready-made: {why[NOT_THERE]}" in one for one in messages), messages


def test_the_columns_tell_the_story(formats: Kubectl) -> None:
    columns, row = formats.run("get", "mset", "models").splitlines()

    assert columns.split()[:3] == ["NAME", "READY", "MODELS"]
    assert row.split()[:4] == ["models", "True", "tiny.en", "5/5"]


def test_another_set_on_the_claim_finds_what_is_there(formats: Kubectl) -> None:
    before, run = variants_of(formats), jobs_ever_run(formats)
    assert run, "Events tell of the Jobs that filled the claim"
    formats.apply([set_of(VARIANTS[:2], "others", existingClaim="models-models")])
    formats.wait_condition("mset", "others", "Ready", within=120)

    found = variants_of(formats, "others")
    assert set(found) == {("pytorch", "stored"), *list(FORMATS)[:2]}
    for kind, one in found.items():
        assert (one["digest"], one["verifiedAt"]) == (before[kind]["digest"], before[kind]["verifiedAt"]), kind
    assert jobs_ever_run(formats) == run, "nor did one run that is gone again"


def jobs_ever_run(kubectl: Kubectl) -> set[str]:
    """UIDs of all Jobs that have had a pod, those that were removed since too: for an hour, Events remember them."""
    fields = "involvedObject.kind=Job,reason=SuccessfulCreate"
    return {one["involvedObject"]["uid"] for one in kubectl.items("events", "--field-selector", fields)}


def test_what_no_set_names_any_more_goes_from_the_claim(formats: Kubectl, installed: Environment) -> None:
    formats.apply([set_of(VARIANTS[:3])])
    wait_until(lambda: READY_MADE not in variants_of(formats), within=180, what="the variant is gone")

    wait_until(
        lambda: "ctranslate2" not in on_the_claim(formats, installed), within=180, every=5, what="and so are its files"
    )
    assert on_the_claim(formats, installed) >= {"onnx", "openvino", "ggml", "pytorch"}


def on_the_claim(kubectl: Kubectl, installed: Environment) -> set[str]:
    """The formats that a reader of the claim finds."""
    name = f"reader-{secrets.token_hex(3)}"
    command = ("list", "--root", "/models", "--json")
    kubectl.apply([reader_pod(name, installed.images["models"], "models-models", *command)])
    wait_until(
        lambda: kubectl.get("pod", name)["status"].get("phase") == "Succeeded", within=90, what="the reader has read"
    )
    said = kubectl.run("logs", name)
    return {row["format"] for line in said.splitlines() for row in _rows(json.loads(line))}


def _rows(found: Any) -> list[dict[str, Any]]:
    return found if isinstance(found, list) else [found]
