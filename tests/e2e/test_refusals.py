"""Nonsense is refused by the API server, in a sentence that a person understands."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.resources import model_set, whisper_service
from tests.support.kubectl import Kubectl, KubectlError


@dataclass(frozen=True)
class Case:
    says: str
    resource: dict[str, Any]
    sentence: str


CASES = [
    Case("a service without a runtime", whisper_service(runtimes={}), "runtime"),
    Case("minus one replica", whisper_service(runtimes={"cpu": {"replicas": -1}}), "replicas"),
    Case("a set without a model", model_set(models=[]), "models"),
    Case(
        "a format nobody serves",
        model_set(models=[{"name": "tiny", "variants": [{"format": "wav", "precision": "int8"}]}]),
        "wav",
    ),
    Case("a field that does not exist", whisper_service(reutimes={}), "reutimes"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.says)
def test_refused(case: Case, namespace: Kubectl) -> None:
    with pytest.raises(KubectlError, match=case.sentence):
        namespace.apply([case.resource])
