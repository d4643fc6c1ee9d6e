"""The main job: kubectl apply in, a transcript out."""

import httpx
import openai
import pytest

from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until
from tests.support.words import JFK, JFK_WORDS, word_errors


def post_jfk(url: str, **fields: str) -> httpx.Response:
    with JFK.open("rb") as audio:
        return httpx.post(f"{url}/transcribe", files={"file": ("jfk.wav", audio)}, data=fields, timeout=120)


def test_jfk_through_the_routed_service_has_no_word_error(service_url: str) -> None:
    answer = post_jfk(service_url)

    assert answer.status_code == 200, answer.text
    assert word_errors(JFK_WORDS, answer.json()["text"]) == 0


def test_the_answer_says_who_served_it(service_url: str) -> None:
    answer = post_jfk(service_url)

    assert answer.headers["x-whisper-runtime"] == "cpu"
    assert answer.headers["x-request-id"] == answer.json()["request_id"]
    assert answer.json()["device"]["used"].lower() == "cpu"
    assert answer.json()["device"]["fallback_reason"] is None


def test_verbose_json_through_the_openai_client_has_no_word_error(service_url: str) -> None:
    client = openai.OpenAI(base_url=f"{service_url}/v1", api_key="unused", timeout=120)
    with JFK.open("rb") as audio, client:
        heard = client.audio.transcriptions.create(
            model="whisper-1", file=audio, response_format="verbose_json", timestamp_granularities=["segment"]
        )

    assert word_errors(JFK_WORDS, heard.text) == 0
    assert heard.language == "english"
    assert heard.duration == pytest.approx(11.0, abs=0.1)
    assert heard.segments
    assert heard.segments[-1].end <= 11.5


def test_both_runtimes_serve(service_url: str, quickstart: Kubectl) -> None:
    def living() -> int:
        selector = "whisper.livetranslate.io/service=whisper,app.kubernetes.io/component=cpu"
        pods = quickstart.items("pods", "-l", selector)
        return sum("deletionTimestamp" not in pod["metadata"] for pod in pods)

    def served() -> int:
        runtimes = quickstart.get("wsvc", "whisper")["status"]["runtimes"]
        return int(next(r["healthy"] for r in runtimes if r["name"] == "cpu"))

    wait_until(lambda: living() == 2, within=120, what="two cpu pods, besides those that are on their way out")
    wait_until(lambda: served() == 2, within=120, what="both cpu pods are healthy for the router")


def test_a_service_with_nothing_behind_it_answers_the_contracts_json(empty_service_url: str) -> None:
    answer = post_jfk(empty_service_url)

    assert answer.status_code == 503
    assert answer.headers["content-type"].startswith("application/json")
    assert int(answer.headers["retry-after"]) > 0
    assert set(answer.json()["error"]) == {"message", "type", "code", "param"}
