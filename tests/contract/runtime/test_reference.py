"""docs/reference/http-api.md says what there is: nothing that is not there, and nothing less."""

import re
from pathlib import Path

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families
from whisper_runtime import errors
from whisper_runtime.api.app import create_app
from whisper_runtime.api.forms import FORMATS, ChunkForm, ChunkMetadata, OpenAIForm, TranscribeForm
from whisper_runtime.errors import RequestFailure
from whisper_runtime.fake import FakeEngine
from whisper_runtime.settings import Settings

from tests.contract.runtime.service import TIMEOUT, fake_engine, serving, wav
from tests.support.waiting import wait_until
from tests.support.words import JFK

TEXT = (Path(__file__).parents[3] / "docs" / "reference" / "http-api.md").read_text()
APP = create_app(*fake_engine(), Settings())
NAMED = set(re.findall(r"`(GET|POST|PUT|DELETE) (/[^`\s]*)`", TEXT))
UNDOCUMENTED = {"/docs", "/openapi.json"}  # the framework's own, which its document leaves out


def section(title: str) -> str:
    return TEXT.split(f"## {title}\n")[1].split("\n## ")[0]


def first_cells(title: str) -> set[str]:
    rows = [line.split("|")[1] for line in section(title).splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall("`([^`]+)`", row)}


@pytest.mark.parametrize(("method", "path"), sorted(NAMED))
def test_every_endpoint_that_is_named_is_there(method: str, path: str) -> None:
    document = APP.openapi()["paths"]
    served = {route.path for route in APP.routes if hasattr(route, "path")}
    assert path in UNDOCUMENTED & served or method.lower() in document[path]


def test_every_endpoint_that_is_there_is_named() -> None:
    served = {(method.upper(), path) for path, methods in APP.openapi()["paths"].items() for method in methods}
    assert served <= NAMED
    assert ("POST", "/v1/audio/translations") in NAMED


def test_the_options_are_those_that_are_understood() -> None:
    assert first_cells("Transcribe") == set(TranscribeForm.model_fields)
    chunk = section("Transcribe a stream in pieces")
    assert {name for name in ChunkForm.model_fields if f"`{name}`" not in chunk} == set()
    assert {name for name in ChunkMetadata.model_fields if f".{name}`" not in chunk} == set()
    openai = section("OpenAI's API")
    assert {name for name in OpenAIForm.model_fields if f"`{name}" not in openai} == set()
    assert all(f"`{form}`" in openai for form in FORMATS)


def test_the_codes_are_those_of_the_failures() -> None:
    def kinds(kind: type[RequestFailure]) -> set[str]:
        return {kind.code}.union(*(kinds(child) for child in kind.__subclasses__()))

    table = "".join(line for line in section("Errors").splitlines() if line.startswith("| "))
    codes = set(re.findall("`([a-z_]+)`", table))
    assert codes == kinds(errors.RequestFailure) | {"no_healthy_runtime"}


def test_the_metrics_are_those_that_are_counted() -> None:
    counted = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in text_string_to_metric_families(APP.state.runtime.metrics.text().decode())
    }
    named = set(re.findall(r"`(whisper_\w+)`", section("Look inside")))
    assert named == counted


def _samples() -> dict[str, set[str]]:
    """Each metric that a runtime has after a few requests, with the names of its labels."""
    with serving(FakeEngine(), fake_engine()[1]) as service:
        service.send(JFK.read_bytes())
        service.send(wav(np.zeros(16_000)), vad="false")  # in which nobody speaks
        service.send(b"")

        def counted() -> str:
            told = service.client.get("/metrics").text
            return told if "whisper_rejected_total{" in told else ""

        # an answer may come a moment before it is counted
        text = wait_until(counted, within=TIMEOUT, every=0.01, what="all is counted")
    return {
        family.name + ("_total" if family.type == "counter" else ""): {
            label for sample in family.samples for label in sample.labels
        }
        for family in text_string_to_metric_families(text)
    }


WITHOUT_A_FALLBACK = {"fallback_total"}  # one device has no series of it; tests of devices see its labels


def test_the_contracts_metrics_are_there_but_for_those_that_are_named_with_a_reason() -> None:
    _, told, rest = section("Look inside").split("```")
    listed = {name: set(labels.split(",")) - {""} for name, labels in re.findall(r"(\w+)(?:\{([\w,]+)\})?", told)}
    missing = {name for row in rest.splitlines() if row.startswith("| `") for name in re.findall("`([^`]+)`", row)}
    counted = _samples()
    assert len(listed) == 20
    assert missing < set(listed)
    assert {name for name in listed if f"whisper_{name}" not in counted} == missing
    for name in set(listed) - missing - WITHOUT_A_FALLBACK:
        labels = counted[f"whisper_{name}"]
        assert {"model", "device"} | listed[name] <= labels, name


def test_the_flags_of_the_limits_are_settings() -> None:
    flags = set(re.findall(r"`--([a-z-]+)`", section("Limits")))
    assert flags
    assert {flag.replace("-", "_") for flag in flags} <= set(Settings.model_fields)
