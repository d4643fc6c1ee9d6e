"""The OpenAPI document is whole, and what it says holds: for requests as it wants them, and for others."""

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import schemathesis
from hypothesis import HealthCheck, settings, strategies
from schemathesis.checks import load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import negative_data_rejection
from whisper_runtime.api.app import create_app
from whisper_runtime.settings import Settings

from tests.contract.runtime.service import Service, fake_engine, serving, translating_fake, wav

CLIP = wav(np.zeros(8000))
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


schema = schemathesis.openapi.from_dict(create_app(*fake_engine(), Settings()).openapi(), config=CONFIG)


@schema.parametrize()
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_nothing_contradicts_the_document(case: schemathesis.Case[Any], running: Service) -> None:
    # In a form all is text: what is wrong as one type is right as another, and an empty value is no value.
    undecidable: list[Any] = [negative_data_rejection] if case.media_type == "multipart/form-data" else []
    case.call_and_validate(base_url=running.url, excluded_checks=undecidable)


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
                assert set(answers) == {"200", "400", "404", "408", "413", "415", "421", "422", "500", "503", "504"}


def test_the_document_tells_of_the_model_that_is_served() -> None:
    with serving(*translating_fake()) as service:
        content = service.client.get("/openapi.json").json()["paths"]["/transcribe"]["post"]["requestBody"]["content"]
    options = content["application/json"]["schema"]["properties"]
    assert options["model"]["anyOf"][0]["enum"] == ["base", "whisper-base", "whisper-1"]
    assert options["language"]["anyOf"][0]["enum"] == ["en", "de", "english", "german"]
    assert options["task"]["anyOf"][0]["enum"] == ["transcribe", "translate"]
