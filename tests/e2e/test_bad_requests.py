"""Bad audio and wrong options get the contract's errors through the router, and the pods live on."""

from dataclasses import dataclass, field

import httpx
import pytest

from tests.support.kubectl import Kubectl
from tests.support.words import JFK

MIB = 1 << 20


@dataclass(frozen=True)
class Case:
    says: str
    audio: bytes
    status: int
    code: str
    options: dict[str, str] = field(default_factory=dict)
    path: str = "/v1/audio/transcriptions"


SPEECH = JFK.read_bytes()
CASES = [
    Case("an empty file", b"", 400, "audio_empty"),
    Case("text that is called wav", b"this is not audio\n" * 100, 415, "unsupported_audio"),
    Case("half a header", SPEECH[:20], 422, "undecodable_audio"),
    Case("a recording cut in half", SPEECH[: len(SPEECH) // 2], 422, "undecodable_audio"),
    Case("more than 25 MB", SPEECH + bytes(26 * MIB), 413, "audio_too_large"),
    Case("a model nobody offers", SPEECH, 404, "model_not_found", {"model": "nobody"}),
    Case("a format nobody knows", SPEECH, 400, "invalid_request", {"response_format": "yaml"}),
    Case("a temperature of nine", SPEECH, 400, "invalid_request", {"temperature": "9"}),
    Case("a language nobody speaks", SPEECH, 400, "invalid_request", {"language": "klingon"}),
]


def restarts(kubectl: Kubectl) -> dict[str, int]:
    pods = kubectl.items("pods", "-l", "whisper.livetranslate.io/service=whisper")
    return {
        p["metadata"]["name"]: sum(c["restartCount"] for c in p["status"].get("containerStatuses", [])) for p in pods
    }


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.says)
def test_bad_request_gets_the_contracts_error(case: Case, service_url: str) -> None:
    answer = httpx.post(
        service_url + case.path,
        files={"file": ("clip.wav", case.audio)},
        data={"model": "whisper-1", **case.options},
        timeout=60,
    )

    assert (answer.status_code, answer.json()["error"]["code"]) == (case.status, case.code), answer.text
    assert len(answer.json()["error"]["message"]) > 20
    assert answer.headers["x-request-id"]


def test_after_all_of_them_the_pods_live_on(service_url: str, quickstart: Kubectl) -> None:
    before = restarts(quickstart)
    for case in CASES:
        httpx.post(
            service_url + case.path, files={"file": case.audio}, data={"model": "whisper-1", **case.options}, timeout=60
        )
    good = httpx.post(f"{service_url}/transcribe", files={"file": SPEECH}, timeout=120)

    assert good.status_code == 200, good.text
    assert restarts(quickstart) == before
