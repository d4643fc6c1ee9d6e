"""The OpenAPI document is whole, and what it says holds: for requests as it wants them, and for others."""

import base64
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings, strategies
from schemathesis.checks import load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from whisper_runtime.api.app import create_app
from whisper_runtime.settings import Settings

from tests.contract.runtime.service import TIMEOUT, Service, fake_engine, serving, translating_fake, wav
from tests.support.waiting import wait_until

CLIP = wav(np.zeros(8000))
FORM = "multipart/form-data"
TRANSLATIONS = "/v1/audio/translations"
PROBES = ("/health", "/livez", "/readyz", "/startupz")
CONFIG = SchemathesisConfig.from_dict(
    {
        "generation": {"deterministic": True},
        "checks": {
            # No schema says what audio is, nor which options exclude each other.
            "positive_data_acceptance": {"expected-statuses": ["2xx", 400, 415, 421, 422]},
            "negative_data_rejection": {"expected-statuses": [400, 404, 405, 413, 415, 421, 422]},
        },
    }
)
load_all_checks()
for name, value in {"byte": base64.b64encode(CLIP).decode(), "binary": CLIP}.items():
    schemathesis.openapi.format(name, strategies.just(value))


@pytest.fixture(scope="module")
def running() -> Iterator[Service]:
    with serving(*fake_engine()) as service:
        yield service


@pytest.fixture(scope="module")
def translating() -> Iterator[Service]:
    with serving(*translating_fake()) as service:
        yield service


schema = schemathesis.openapi.from_dict(create_app(*fake_engine(), Settings()).openapi(), config=CONFIG)
examples = settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@schema.parametrize()
@examples
def test_nothing_contradicts_the_document(case: schemathesis.Case[Any], running: Service) -> None:
    undecidable = _undecidable_in(case)
    if case.path == "/batch/process":  # what was sent before under its key is taken without a look at the body
        undecidable = [negative_data_rejection]
    if case.path == "/batch/{id}":  # nor does it say which jobs there are
        undecidable.append(positive_data_acceptance)
    case.call_and_validate(base_url=running.url, excluded_checks=undecidable)


def _undecidable_in(case: schemathesis.Case[Any]) -> list[Any]:
    """In a form all is text: "0" is too long for an empty value, and a fine boolean. See the values below instead."""
    return [negative_data_rejection] if case.media_type == FORM else []


def test_nothing_contradicts_the_document_where_the_model_translates(translating: Service) -> None:
    document = translating.client.get("/openapi.json").json()
    operation = schemathesis.openapi.from_dict(document, config=CONFIG)[TRANSLATIONS]["POST"]
    reached = Counter[int]()

    @examples
    @given(case=operation.as_strategy())
    def check(case: schemathesis.Case[Any]) -> None:
        answer = case.call_and_validate(base_url=translating.url, excluded_checks=_undecidable_in(case))
        reached[answer.status_code] += 1

    check()
    assert reached[200] > 1, reached


@pytest.mark.parametrize("path", ["/transcribe", "/batch/process", "/v1/audio/transcriptions", TRANSLATIONS])
def test_a_form_with_a_value_outside_the_document_is_refused_by_its_name(translating: Service, path: str) -> None:
    body = translating.client.get("/openapi.json").json()["paths"][path]["post"]["requestBody"]
    options = body["content"][FORM]["schema"]["properties"]
    wrong = [(name, value) for name in options if name != "file" for value in _outside(options[name]["anyOf"][0])]
    for name, value in wrong:
        refused = translating.send(CLIP, path, **{name: value})
        told = (refused.status_code, refused.json()["error"]["param"])
        by_name = (404, "model") if name.startswith("model") else (400, name.removesuffix("[]"))
        assert told == by_name, (name, value)
    assert set(options) - {name for name, _ in wrong} <= {"file", "device", "keywords", "keywords[]"}


def _outside(of: dict[str, Any]) -> list[str]:
    """Text that a schema does not allow; of a string without bounds there is none, unless examples show its form."""
    match of:
        case {"type": "array", "items": items}:
            return _outside(items)
        case {"maximum": highest, "minimum": lowest}:
            return ["hot", str(highest + 0.1), str(lowest - 0.1), "nan"]
        case {"maxLength": longest}:
            return ["x" * (longest + 1)]
        case {"enum": _} | {"const": _} | {"type": "boolean"} | {"examples": _}:
            return ["of no kind"]
        case _:
            return []


def test_a_job_is_told_as_the_document_says_until_it_is_gone(running: Service) -> None:
    taken = running.client.post("/batch/process", files={"file": CLIP}).json()

    def done() -> bool:
        answer = schema["/batch/{id}"]["GET"].Case(path_parameters={"id": taken["id"]}).call(base_url=running.url)
        schema["/batch/{id}"]["GET"].validate_response(answer)
        return bool(answer.json()["status"] == "done")

    wait_until(done, within=TIMEOUT, every=0.02, what="the job is done")
    for status in (200, 404):
        answer = schema["/batch/{id}"]["DELETE"].Case(path_parameters={"id": taken["id"]}).call(base_url=running.url)
        schema["/batch/{id}"]["DELETE"].validate_response(answer)
        assert answer.status_code == status


def test_every_operation_says_what_it_takes_answers_and_how_it_fails(running: Service) -> None:
    document = running.client.get("/openapi.json").json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            answers = operation["responses"]
            assert answers, (method, path)
            assert {"x-request-id", "x-whisper-runtime"} <= set.intersection(
                *(set(a["headers"]) for a in answers.values())
            )
            failed = [answer for status, answer in answers.items() if status >= "400" and path not in PROBES]
            assert all("error" in answer["content"]["application/json"]["example"] for answer in failed)
            takes_audio = method == "post" and set(answers) != {"421"}
            assert ("requestBody" in operation) == takes_audio
            if takes_audio:
                done = "202" if path == "/batch/process" else "200"
                assert set(answers) == {done, "400", "404", "408", "413", "415", "421", "422", "500", "503", "504"}


def test_the_document_tells_of_the_model_that_is_served() -> None:
    with serving(*translating_fake()) as service:
        content = service.client.get("/openapi.json").json()["paths"]["/transcribe"]["post"]["requestBody"]["content"]
    options = content["application/json"]["schema"]["properties"]
    assert options["model"]["anyOf"][0]["enum"] == ["base", "whisper-base", "whisper-1"]
    assert options["language"]["anyOf"][0]["enum"] == ["en", "de", "english", "german"]
    assert options["task"]["anyOf"][0]["enum"] == ["transcribe", "translate"]
