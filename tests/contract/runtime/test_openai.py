"""OpenAI's API, with OpenAI's own client: formats, granularities, streams, languages, errors and retries."""

import io
import itertools
import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import openai
import pytest
import soundfile
from openai.types.audio import (
    Transcription,
    TranscriptionStreamEvent,
    TranscriptionTextDeltaEvent,
    TranscriptionTextDoneEvent,
    TranscriptionVerbose,
    Translation,
    TranslationVerbose,
)
from pydantic import TypeAdapter
from whisper_runtime.engine import Artifact, Engine
from whisper_runtime.fake import FakeEngine
from whisper_runtime.serving.admission import Ticket

from tests.contract.runtime.service import (
    MODEL,
    Service,
    client_of,
    long_speech,
    multilingual_cpu,
    multilingual_npu,
    serving,
    translating_fake,
    wav,
)
from tests.support.waiting import wait_until
from tests.support.words import JFK, JFK_WORDS, word_errors

TRANSLATIONS = "/v1/audio/translations"  # whose method in the client is deprecated: its types are the oracle
FORMATS = ("json", "text", "srt", "vtt", "verbose_json", "diarized_json")
GRANULARITIES: tuple[list[str], ...] = ([], ["word"], ["segment"], ["word", "segment"])
Create = Callable[..., Any]
EVENTS: TypeAdapter[TranscriptionStreamEvent] = TypeAdapter(TranscriptionStreamEvent)


@pytest.fixture
def create(service: Service) -> Iterator[Create]:
    """The client's method; its overloads do not take variables."""
    with client_of(service) as client:
        method: Create = client.audio.transcriptions.with_raw_response.create
        yield lambda **options: method(**{"model": "whisper-1", "file": JFK} | options)


def has_logprobs(service: Service) -> bool:
    return "logprobs" in service.runtime.engine.info.capabilities


def refusal(form: str, granularities: list[str], *, stream: bool) -> tuple[int, str] | None:
    """Status and parameter of what has no answer."""
    if form == "diarized_json":
        return 421, "response_format"
    if stream and form not in ("json", "text"):
        return 400, "response_format"
    if granularities and form != "verbose_json":
        return 400, "timestamp_granularities"
    return None


MATRIX = list(itertools.product(FORMATS, GRANULARITIES, (False, True)))


@pytest.mark.parametrize(
    ("form", "granularities", "stream"), [case for case in MATRIX if refusal(*case[:2], stream=case[2])]
)
def test_what_has_no_answer_is_refused_naming_the_option(
    create: Create, form: str, granularities: list[str], *, stream: bool
) -> None:
    with pytest.raises(openai.APIStatusError) as refused:
        create(response_format=form, timestamp_granularities=granularities, stream=stream)
    assert (refused.value.status_code, refused.value.param) == refusal(form, granularities, stream=stream)
    assert refused.value.code == ("unsupported_here" if form == "diarized_json" else "invalid_request")


@pytest.mark.parametrize("model", ["whisper-1", MODEL, "whisper-tiny.en"])
def test_json_gives_the_words_by_any_name_of_the_model(create: Create, model: str) -> None:
    body = create(model=model).http_response.json()
    answer = Transcription.model_validate(body, strict=True)
    assert word_errors(JFK_WORDS, answer.text) == 0
    assert body["usage"] == {"type": "duration", "seconds": 11}
    assert "logprobs" not in body


@pytest.mark.parametrize("language", ["en", "English", "EN", "en-US"])
@pytest.mark.parametrize("granularities", GRANULARITIES)
def test_verbose_json_has_what_was_asked_for_in_the_clients_types(
    create: Create, granularities: list[str], language: str
) -> None:
    asked = {"timestamp_granularities": granularities, "language": language, "prompt": "A speech.", "temperature": 0}
    body = create(response_format="verbose_json", **asked).http_response.json()
    answer = TranscriptionVerbose.model_validate(body, strict=True)
    assert word_errors(JFK_WORDS, answer.text) == 0
    assert answer.language == "english"
    assert answer.duration == pytest.approx(11, abs=0.01)
    assert (answer.words is not None) == ("word" in granularities)
    assert (answer.segments is not None) == (granularities != ["word"])
    if answer.segments is not None:
        assert "".join(s.text for s in answer.segments).strip() == answer.text
    if answer.words is not None:
        assert word_errors(JFK_WORDS, " ".join(word.word for word in answer.words)) == 0
        assert answer.words[-1].end <= 11


@pytest.mark.parametrize(
    ("form", "looks"),
    [
        ("text", r"And so[^\n]*\n"),
        ("srt", r"(\d+\n00:00:\d\d,\d{3} --> 00:00:\d\d,\d{3}\n[^\n]+\n\n?)+"),
        ("vtt", r"WEBVTT\n\n(00:00:\d\d\.\d{3} --> 00:00:\d\d\.\d{3}\n[^\n]+\n\n?)+"),
    ],
)
def test_plain_formats_are_plain(create: Create, form: str, looks: str) -> None:
    answer = create(response_format=form)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert re.fullmatch(looks, answer.parse()), answer.parse()


@pytest.mark.parametrize("name", ["timestamp_granularities", "timestamp_granularities[]"])
def test_granularities_count_with_and_without_brackets(service: Service, name: str) -> None:
    fields = {"model": "whisper-1", "response_format": "verbose_json", name: "word"}
    body = service.send(JFK.read_bytes(), "/v1/audio/transcriptions", **fields).json()
    assert body["words"]
    assert "segments" not in body


def test_logprobs_are_those_of_the_text_or_named_as_missing(service: Service, create: Create) -> None:
    response = create(include=["logprobs"])
    answer = response.parse()
    if not has_logprobs(service):
        assert (response.headers["x-whisper-degraded"], answer.logprobs) == ("include", None)
        return
    assert "".join(one.token for one in answer.logprobs).strip() == answer.text
    assert bytes(int(b) for one in answer.logprobs for b in one.bytes).decode().strip() == answer.text
    assert all(one.logprob <= 0 for one in answer.logprobs)


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("include", [[], ["logprobs"]])
def test_a_stream_is_deltas_that_make_up_the_text_and_the_text(
    service: Service, create: Create, form: str, include: list[str]
) -> None:
    if include and form == "text":
        with pytest.raises(openai.BadRequestError, match="logprobs needs response_format=json"):
            create(stream=True, response_format=form, include=include)
        return
    answer = create(stream=True, response_format=form, include=include)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    told = bool(include) and has_logprobs(service)
    assert ("x-whisper-degraded" in answer.headers) == (bool(include) and not told)
    events: list[Any] = [EVENTS.validate_python(event.model_dump(exclude_unset=True)) for event in answer.parse()]
    *deltas, done = events
    assert isinstance(done, TranscriptionTextDoneEvent)
    assert word_errors(JFK_WORDS, done.text) == 0
    assert {(type(delta), delta.logprobs is not None) for delta in deltas} == {(TranscriptionTextDeltaEvent, told)}
    assert "".join(delta.delta for delta in deltas) == done.text
    assert (done.logprobs is not None) == told
    if told:
        said = [one.model_dump() for delta in deltas for one in delta.logprobs]
        assert [one.model_dump() for one in done.logprobs or ()] == said
        assert "".join(one["token"] for one in said).strip() == done.text


def test_a_stream_says_of_a_long_file_what_the_whole_answer_says(create: Create) -> None:
    file = ("long.wav", long_speech())
    whole = create(file=file).parse().text
    *deltas, done = list(create(file=file, stream=True).parse())
    assert len(deltas) > 1
    assert "".join(delta.delta for delta in deltas) == done.text == whole


def test_a_client_that_leaves_a_stream_frees_its_place(service: Service) -> None:
    with client_of(service) as client:
        events = client.audio.transcriptions.create(model="whisper-1", file=long_speech(), stream=True)
        next(iter(events))
        events.close()
    wait_until(lambda: service.runtime.life.in_flight == 0 == service.queue, within=30, every=0.01, what="it is free")
    assert service.runtime.scratch.held == 0


@pytest.fixture(
    scope="module", params=[translating_fake, multilingual_cpu, multilingual_npu], ids=["fake", "cpu", "npu"]
)
def multilingual(request: pytest.FixtureRequest) -> Iterator[Service]:
    made: Callable[[], tuple[Engine, Artifact]] = request.param
    with serving(*made()) as service:
        yield service


@pytest.mark.parametrize(
    ("asked", "told"), [(None, "english"), ("en", "english"), ("German", "german"), ("de", "german")]
)
def test_the_language_is_found_or_taken_by_code_or_name(multilingual: Service, asked: str | None, told: str) -> None:
    with client_of(multilingual) as client:
        answer = client.audio.transcriptions.create(
            model="whisper-1", file=JFK, response_format="verbose_json", language=asked or openai.omit
        )
    assert answer.language == told


def test_translations_of_a_model_that_can_are_in_english(multilingual: Service) -> None:
    clip = JFK.read_bytes()
    plain = Translation.model_validate(multilingual.send(clip, TRANSLATIONS).json())
    answer = multilingual.send(clip, TRANSLATIONS, response_format="verbose_json")
    verbose = TranslationVerbose.model_validate(answer.json())
    assert word_errors(JFK_WORDS, plain.text) == 0
    assert (verbose.language, verbose.text) == ("english", plain.text)
    assert answer.json()["task"] == "translate"
    assert verbose.segments
    assert multilingual.send(clip, TRANSLATIONS, response_format="srt").text.startswith("1\n00:00:0")
    whole = multilingual.send(clip, task="translate").json()
    assert (whole["task"], whole["text"]) == ("translate", plain.text)


def test_translations_of_a_model_that_cannot_are_refused(service: Service) -> None:
    answer = service.send(JFK.read_bytes(), TRANSLATIONS, model="whisper-1")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "unsupported_task", "task")
    assert "was not trained to translate" in error["message"]


def test_models_are_listed_and_fetched(service: Service) -> None:
    with client_of(service) as client:
        assert MODEL in [model.id for model in client.models.list()]
        assert client.models.retrieve("whisper-1").id == "whisper-1"
        created = {model.created for model in client.models.list()}
    artifact = service.runtime.artifact
    written = [(artifact.path / file.path).stat().st_mtime for file in artifact.files]
    assert created == ({int(max(written))} if written else {None})


def test_keywords_and_automatic_chunking_are_honoured_and_the_rest_is_named(create: Create) -> None:
    plain = create(keywords=["country", "Americans"], chunking_strategy="auto")
    assert "x-whisper-degraded" not in plain.headers
    assert word_errors(JFK_WORDS, plain.parse().text) == 0
    odd = create(chunking_strategy={"type": "server_vad", "mood": 1}, languages=["en"], extra_body={"colour": "red"})
    assert odd.headers["x-whisper-degraded"] == "colour, languages[], chunking_strategy.mood"


def paused() -> bytes:
    """The beginning of the speech, twice, with 5 s of silence between."""
    speech, rate = soundfile.read(io.BytesIO(JFK.read_bytes()), dtype="int16", frames=7 * 16_000)
    return wav(np.concatenate([speech, np.zeros(5 * rate, np.int16), speech]), rate)


PAUSED = paused()
SET_VADS: list[tuple[dict[str, Any], float, float]] = [
    ({}, 14.0, 15.5),  # the pause of 5 s is cut out, but for 0.4 s on both sides
    ({"threshold": 0.5, "prefix_padding_ms": 0}, 13.5, 14.8),
    ({"silence_duration_ms": 20_000}, 18.5, 20.0),
    ({"threshold": 1.0}, 0.0, 0.0),
]


@pytest.mark.parametrize("as_text", [True, False])
@pytest.mark.parametrize(("how", "least", "most"), SET_VADS)
def test_a_strategy_sets_what_counts_as_speech(
    how: dict[str, Any], least: float, most: float, *, as_text: bool
) -> None:
    strategy = {"type": "server_vad"} | how
    with serving(FakeEngine(), Artifact(JFK, MODEL, "int8", 1)) as service, client_of(service) as client:
        method: Create = client.audio.transcriptions.with_raw_response.create
        sent = json.dumps(strategy) if as_text else strategy
        answer = method(model="whisper-1", file=("a.wav", PAUSED), chunking_strategy=sent)
    assert "x-whisper-degraded" not in answer.headers
    heard = re.fullmatch(r"(?:([\d.]+) seconds of audio)?", answer.parse().text)
    assert heard
    assert least <= float(heard[1] or 0) <= most


ERRORS: list[tuple[dict[str, Any], type[openai.APIStatusError], int, str, str | None]] = [
    ({"file": ("a.wav", b"")}, openai.BadRequestError, 400, "audio_empty", "file"),
    ({"temperature": 2}, openai.BadRequestError, 400, "invalid_request", "temperature"),
    ({"language": "klingon"}, openai.BadRequestError, 400, "invalid_request", "language"),
    ({"language": "fr"}, openai.BadRequestError, 400, "invalid_request", "language"),
    ({"include": ["thoughts"]}, openai.BadRequestError, 400, "invalid_request", "include"),
    *(
        ({"chunking_strategy": wrong}, openai.BadRequestError, 400, "invalid_request", f"chunking_strategy{inside}")
        for wrong, inside in [
            ("slow", ""),
            ("[1]", ""),
            ({"type": "client_vad"}, ".type"),
            ({"threshold": 0.5}, ".type"),
            ('{"type": "server_vad", "threshold": 2}', ".threshold"),
            ({"type": "server_vad", "silence_duration_ms": -1}, ".silence_duration_ms"),
        ]
    ),
    ({"response_format": "yaml"}, openai.BadRequestError, 400, "invalid_request", "response_format"),
    ({"model": "gpt-4o-transcribe"}, openai.NotFoundError, 404, "model_not_found", "model"),
    ({"file": ("a.wav", bytes(4_100_000))}, openai.APIStatusError, 413, "audio_too_large", "file"),
    ({"file": ("a.txt", b"words " * 99)}, openai.APIStatusError, 415, "unsupported_audio", "file"),
    ({"file": ("a.wav", JFK.read_bytes()[:999])}, openai.UnprocessableEntityError, 422, "undecodable_audio", "file"),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("options", "kind", "status", "code", "param"), ERRORS)
def test_errors_are_the_clients_own_and_are_not_retried(  # noqa: PLR0913 - a row of the table
    service: Service,
    options: dict[str, Any],
    kind: type[openai.APIStatusError],
    status: int,
    code: str,
    param: str | None,
    *,
    stream: bool,
) -> None:
    asked: dict[str, Any] = {"model": "whisper-1", "file": JFK, "stream": stream} | options
    answered = service.runtime.metrics.registry
    before = _count(answered, status)
    with client_of(service, retries=2) as client, pytest.raises(kind) as raised:
        client.audio.transcriptions.create(**asked)
    assert (raised.value.status_code, raised.value.code, raised.value.param) == (status, code, param)
    assert raised.value.request_id
    # a client may have its answer a moment before it is counted
    wait_until(lambda: _count(answered, status) > before, within=30, every=0.01, what="the answer is counted")
    assert _count(answered, status) == before + 1


def _count(registry: Any, status: int) -> float:
    labels = {"model": MODEL, "device": "CPU", "endpoint": "/v1/audio/transcriptions", "code": str(status)}
    return registry.get_sample_value("whisper_requests_total", labels) or 0.0


def told_after_refusals(service: Service, status: int, mend: Callable[[], object], *, stream: bool) -> str:
    """What the client says in the end of a request that is refused until, after the second time, things are mended."""
    registry = service.runtime.metrics.registry
    most = _count(registry, status) + 2
    with client_of(service, retries=99) as client, ThreadPoolExecutor(1) as sender:
        create: Any = client.audio.transcriptions.create
        told = sender.submit(create, model="whisper-1", file=JFK, stream=stream)
        try:
            refused = lambda: _count(registry, status) >= most  # noqa: E731 - a condition
            wait_until(refused, within=60, every=0.01, what="it was refused twice")
        finally:
            mend()
        answer = told.result()
        text: str = list(answer)[-1].text if stream else answer.text
    return text


@pytest.mark.parametrize("stream", [False, True])
def test_the_client_tries_again_until_there_is_room(
    service: Service, monkeypatch: pytest.MonkeyPatch, *, stream: bool
) -> None:
    admission = service.runtime.admission

    async def fill() -> Ticket:
        monkeypatch.setattr(admission, "capacity_seconds", 2.0)
        return admission.admit(2.0)

    async def empty() -> None:
        taken.release()
        monkeypatch.undo()

    taken = service.on_its_loop(fill)
    text = told_after_refusals(service, 503, lambda: service.on_its_loop(empty), stream=stream)
    assert word_errors(JFK_WORDS, text) == 0


@pytest.mark.parametrize("stream", [False, True])
def test_the_client_tries_again_after_a_failure_of_the_engine(
    fake: tuple[Service, FakeEngine], *, stream: bool
) -> None:
    service, engine = fake
    engine.failure = RuntimeError("boom")
    text = told_after_refusals(service, 500, lambda: setattr(engine, "failure", None), stream=stream)
    assert word_errors(JFK_WORDS, text) == 0
