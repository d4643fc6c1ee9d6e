"""One set for every kind of runtime: each format is made on the claim, compared with its original, and taken away."""

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
    ("ggml", "q5_0"): "ggml/ggml-tiny.en-q5_0.bin",
    ("ctranslate2", "int8"): "ctranslate2/whisper-tiny.en/int8",
}
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


def test_the_columns_tell_the_story(formats: Kubectl) -> None:
    columns, row = formats.run("get", "mset", "models").splitlines()

    assert columns.split()[:3] == ["NAME", "READY", "MODELS"]
    assert row.split()[:4] == ["models", "True", "tiny.en", "5/5"]


def test_another_set_on_the_claim_finds_what_is_there(formats: Kubectl) -> None:
    jobs = {one["metadata"]["uid"] for one in formats.items("jobs")}
    formats.apply([set_of(VARIANTS[:2], "others", existingClaim="models-models")])
    formats.wait_condition("mset", "others", "Ready", within=120)

    assert {one["metadata"]["uid"] for one in formats.items("jobs")} <= jobs
    both = variants_of(formats), variants_of(formats, "others")
    assert both[0]["onnx", "int8"]["digest"] == both[1]["onnx", "int8"]["digest"]


def test_what_no_set_names_any_more_goes_from_the_claim(formats: Kubectl, installed: Environment) -> None:
    formats.apply([set_of(VARIANTS[:3])])
    wait_until(lambda: ("ctranslate2", "int8") not in variants_of(formats), within=120, what="the variant is gone")

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
