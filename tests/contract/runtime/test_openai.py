"""OpenAI's API, with OpenAI's own client."""

from collections.abc import Callable, Iterator

import openai
import pytest
from openai.types.audio import Translation, TranslationVerbose
from whisper_runtime.engine import Artifact, Engine

from tests.contract.runtime.service import MODEL, Service, multilingual_cpu, serving, translating_fake
from tests.support.words import JFK, JFK_WORDS, word_errors

Client = openai.OpenAI
TRANSLATIONS = "/v1/audio/translations"  # whose method in the client is deprecated: its types are the oracle


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    with openai.OpenAI(base_url=f"{service.url}/v1", api_key="none", max_retries=0) as made:
        yield made


@pytest.mark.parametrize("model", ["whisper-1", MODEL, "whisper-tiny.en"])
def test_json_gives_the_words_by_any_name_of_the_model(client: Client, model: str) -> None:
    answer = client.audio.transcriptions.create(model=model, file=JFK)
    assert word_errors(JFK_WORDS, answer.text) == 0
    assert answer.usage is not None
    assert answer.usage.type == "duration"


def test_text_is_the_text(client: Client) -> None:
    answer = client.audio.transcriptions.create(model="whisper-1", file=JFK, response_format="text")
    assert word_errors(JFK_WORDS, str(answer)) == 0
    assert str(answer).endswith("\n")


def test_verbose_json_has_segments_in_the_clients_types(client: Client) -> None:
    answer = client.audio.transcriptions.create(
        model="whisper-1",
        file=JFK,
        response_format="verbose_json",
        language="English",
        temperature=0,
        prompt="A speech.",
    )
    assert word_errors(JFK_WORDS, answer.text) == 0
    assert answer.language == "english"
    assert answer.duration == pytest.approx(11, abs=0.01)
    assert answer.segments
    assert answer.words is None
    assert all(isinstance(s.avg_logprob, float) and isinstance(s.no_speech_prob, float) for s in answer.segments)
    assert "".join(s.text for s in answer.segments).strip() == answer.text


def test_word_granularity_gives_words_at_the_top_level(client: Client) -> None:
    answer = client.audio.transcriptions.create(
        model="whisper-1", file=JFK, response_format="verbose_json", timestamp_granularities=["word", "segment"]
    )
    assert answer.words
    assert answer.segments
    assert word_errors(JFK_WORDS, " ".join(word.word for word in answer.words)) == 0
    assert answer.words[-1].end <= 11


@pytest.mark.parametrize("name", ["timestamp_granularities", "timestamp_granularities[]"])
def test_granularities_count_with_and_without_brackets(service: Service, name: str) -> None:
    fields = {"model": "whisper-1", "response_format": "verbose_json", name: "word"}
    body = service.send(JFK.read_bytes(), "/v1/audio/transcriptions", **fields).json()
    assert body["words"]
    assert "segments" not in body


def test_translations_of_a_model_that_cannot_are_refused(service: Service) -> None:
    answer = service.send(JFK.read_bytes(), TRANSLATIONS, model="whisper-1")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "unsupported_task", "task")
    assert "was not trained to translate" in error["message"]


@pytest.mark.parametrize("made", [translating_fake, multilingual_cpu], ids=["fake", "cpu"])
def test_translations_of_a_model_that_can_are_in_english(made: Callable[[], tuple[Engine, Artifact]]) -> None:
    clip = JFK.read_bytes()
    with serving(*made()) as service:
        plain = Translation.model_validate(service.send(clip, TRANSLATIONS).json())
        answer = service.send(clip, TRANSLATIONS, response_format="verbose_json")
        verbose = TranslationVerbose.model_validate(answer.json())
        srt = service.send(clip, TRANSLATIONS, response_format="srt").text
        whole = service.send(clip, task="translate").json()
    assert word_errors(JFK_WORDS, plain.text) == 0
    assert (verbose.language, verbose.text) == ("english", plain.text)
    assert answer.json()["task"] == "translate"
    assert verbose.segments
    assert srt.startswith("1\n00:00:0")
    assert (whole["task"], whole["text"]) == ("translate", plain.text)


@pytest.mark.parametrize(("form", "starts"), [("srt", "1\n00:00:0"), ("vtt", "WEBVTT\n\n00:00:0")])
def test_subtitles(client: Client, form: str, starts: str) -> None:
    answer = client.audio.transcriptions.create(model="whisper-1", file=JFK, response_format=form)  # type: ignore[call-overload]  # the client's overloads do not take a variable
    assert str(answer).startswith(starts)


def test_models_are_listed_and_fetched(client: Client) -> None:
    assert MODEL in [model.id for model in client.models.list()]
    assert client.models.retrieve("whisper-1").id == "whisper-1"


def test_an_unknown_model_is_not_found(client: Client) -> None:
    with pytest.raises(openai.NotFoundError) as raised:
        client.audio.transcriptions.create(model="gpt-4o-transcribe", file=JFK)
    assert raised.value.code == "model_not_found"


def test_streaming_is_refused_with_a_sentence(client: Client) -> None:
    with pytest.raises(openai.BadRequestError, match="stream=true is not supported"):
        client.audio.transcriptions.create(model="whisper-1", file=JFK, stream=True)


def test_granularities_need_verbose_json(client: Client) -> None:
    with pytest.raises(openai.BadRequestError, match="verbose_json"):
        client.audio.transcriptions.create(model="whisper-1", file=JFK, timestamp_granularities=["word"])


def test_what_is_not_known_is_named_in_a_header(client: Client) -> None:
    answer = client.audio.transcriptions.with_raw_response.create(
        model="whisper-1", file=JFK, include=["logprobs"], chunking_strategy="auto"
    )
    assert answer.headers["x-whisper-degraded"] == "chunking_strategy, include[]"


def test_an_empty_file_is_a_bad_request(client: Client) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b""))
    assert raised.value.code == "audio_empty"
