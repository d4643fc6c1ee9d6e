"""Requests of every kind at the same time: each gets what it gets alone, and nobody else's options or errors."""

import base64
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from random import Random
from typing import Any

import httpx
import pytest
import soundfile
from whisper_runtime.engine import Options
from whisper_runtime.fake import FakeEngine

from tests.contract.runtime.service import Service, wav
from tests.support.waiting import wait_until
from tests.support.words import JFK, JFK_WORDS, word_errors

CLIP = JFK.read_bytes()
OPENAI = "/v1/audio/transcriptions"
ROUNDS, AT_ONCE = 2, 5  # so many clips fit into the queue

Kind = Callable[[Service], httpx.Response]


def posted(path: str, audio: bytes = CLIP, /, **fields: Any) -> Kind:
    return lambda service: httpx.post(f"{service.url}{path}", files={"file": audio}, data=fields, timeout=60)


def json_posted(path: str, **body: Any) -> Kind:
    return lambda service: httpx.post(f"{service.url}{path}", json=body, timeout=60)


GOOD: dict[str, Kind] = {
    "plain": posted("/transcribe"),
    "words": posted("/transcribe", word_timestamps="true"),
    "with a prompt and hotwords": posted("/transcribe", prompt="A speech.", hotwords="Americans"),
    "without voice detection": posted("/transcribe", vad="false"),
    "with what is not known": posted("/transcribe", beam_size="5", device="npu"),
    "verbose": posted(OPENAI, response_format="verbose_json", timestamp_granularities="word"),
    "log-probabilities": posted(OPENAI, **{"include[]": "logprobs"}),
    "subtitles": posted(OPENAI, response_format="srt"),
    "a stream": posted(OPENAI, stream="true"),
}
BAD: dict[str, Kind] = {
    "no audio": posted("/transcribe", b"words " * 99),
    "cut off": posted("/transcribe", CLIP[:100_000]),
    "a wrong option": posted(OPENAI, temperature="hot"),
    "a language nobody speaks": posted("/transcribe", language="klingon"),
    "a stream of what is no audio": posted(OPENAI, b"words " * 99, stream="true"),
    "wrong base64": json_posted("/api/process-chunk", session_id="s", chunk_id="wrong", audio_data="%%%"),
    "base64 of text": json_posted("/transcribe", audio_data=base64.b64encode(b"words " * 99).decode()),
}
CHANGES = ("request_id", "processing_time", "timings")


def essence(answer: httpx.Response) -> Any:
    """What must not depend on others."""
    headers = {name: answer.headers.get(name) for name in ("x-whisper-degraded", "content-type")}
    if not answer.headers["content-type"].startswith("application/json"):
        return answer.status_code, headers, answer.text
    body = {name: value for name, value in answer.json().items() if name not in CHANGES}
    return answer.status_code, headers, body


def alike(one: Any, other: Any) -> bool:
    """The same but for the last digits of numbers, which may depend on the order of an engine's threads."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-3, abs_tol=1e-3)
    return bool(one == other)


def test_each_gets_what_it_gets_alone(service: Service) -> None:
    kinds = GOOD | BAD
    alone = {name: essence(kind(service)) for name, kind in kinds.items()}
    assert {alone[name][0] for name in GOOD} == {200}
    assert {alone[name][0] for name in BAD} == {400, 415, 422}
    order = [name for name in kinds for _ in range(ROUNDS)]
    Random(6).shuffle(order)
    with ThreadPoolExecutor(AT_ONCE) as senders:
        together = list(senders.map(lambda name: essence(kinds[name](service)), order))
    assert [name for name, told in zip(order, together, strict=True) if not alike(told, alone[name])] == []
    runtime = service.runtime
    at_rest = lambda: (service.queue, runtime.life.in_flight, runtime.scratch.held) == (0, 0, 0)  # noqa: E731 - a condition
    wait_until(at_rest, within=60, every=0.01, what="all is given back")


def test_the_engine_is_asked_for_what_each_request_says_and_no_more(fake: tuple[Service, FakeEngine]) -> None:
    service, engine = fake
    engine.asked.clear()
    with ThreadPoolExecutor(AT_ONCE) as senders:
        list(senders.map(lambda kind: kind(service), [*GOOD.values()] * 3))
    plain = asdict(Options())
    said = [{name: value for name, value in asdict(asked).items() if value != plain[name]} for asked in engine.asked]
    expected: list[dict[str, Any]] = [{}] * 5
    expected += [{"word_timestamps": True}] * 2 + [{"logprobs": True}]
    expected += [{"prompt": "A speech.", "hotwords": "Americans"}]
    assert sorted(said, key=str) == sorted(expected * 3, key=str)


@pytest.mark.parametrize("failing", ["broken", "gone", "without memory"])
def test_one_requests_failure_inside_the_engine_is_nobody_elses(fake: tuple[Service, FakeEngine], failing: str) -> None:
    service, engine = fake
    failures = {"broken": RuntimeError("boom"), "gone": SystemExit(3), "without memory": MemoryError()}

    def says(audio: Any) -> str:
        if len(audio) < 10 * 16_000:
            raise failures[failing]
        return JFK_WORDS

    engine.says = says
    samples, rate = soundfile.read(JFK)
    short = wav(samples[: 5 * rate], rate)
    kinds = [posted("/transcribe", clip) for clip in (CLIP, short) * 8]
    with ThreadPoolExecutor(AT_ONCE) as senders:
        answers = list(senders.map(lambda kind: kind(service), kinds))
    assert all(word_errors(JFK_WORDS, answer.json()["text"]) == 0 for answer in answers[::2])
    expected = (503, "queue_full") if failing == "without memory" else (500, "engine_error")
    assert {(answer.status_code, answer.json()["error"]["code"]) for answer in answers[1::2]} == {expected}
