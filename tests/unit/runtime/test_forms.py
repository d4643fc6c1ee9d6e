"""Options: known and wrong is refused, unknown is named, empty is absent."""

from typing import Any

import pytest
from whisper_runtime.api.forms import OpenAIForm, TranscribeForm, parse
from whisper_runtime.errors import InvalidRequest


def test_strings_of_a_form_become_what_they_mean() -> None:
    form = parse(TranscribeForm, [("word_timestamps", "true"), ("vad", "0"), ("temperature", "0.2"), ("language", "")])
    assert (form.word_timestamps, form.vad, form.temperature, form.language) == (True, False, 0.2, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", "hot"),
        ("temperature", "2"),
        ("temperature", "nan"),
        ("word_timestamps", "perhaps"),
        ("task", "sing"),
        ("encoding", "mp7"),
        ("sample_rate", "0"),
        ("prompt", "x" * 5000),
    ],
)
def test_a_wrong_option_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse(TranscribeForm, [(name, value)])
    assert refused.value.param == name


def test_two_names_of_one_model_are_fine() -> None:
    form = parse(TranscribeForm, [("model", "tiny.en"), ("model_name", "whisper-tiny.en")])
    form.refuse_contradiction()
    assert form.asked == "tiny.en"
    assert parse(TranscribeForm, [("model_name", "base")]).asked == "base"


def test_two_models_are_refused_naming_both() -> None:
    form = parse(TranscribeForm, [("model", "tiny.en"), ("model_name", "base")])
    with pytest.raises(InvalidRequest, match=r"'tiny\.en'.*'base'"):
        form.refuse_contradiction()


def test_unknown_options_are_named_and_nothing_odd_reaches_a_header() -> None:
    form = parse(TranscribeForm, [("beam_size", "5"), ("x\r\nset-cookie: a", "1")])
    assert form.unknown() == ["beam_size", "unknown"]


@pytest.mark.parametrize("name", ["timestamp_granularities", "timestamp_granularities[]"])
def test_granularities_are_read_with_and_without_brackets(name: str) -> None:
    fields: list[tuple[str, Any]] = [("response_format", "verbose_json"), (name, "word"), (name, "segment")]
    form = parse(OpenAIForm, fields, {name: "timestamp_granularities"})
    form.refuse_unsupported()
    assert form.timestamp_granularities == ("word", "segment")
    assert form.options("transcribe").word_timestamps


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"stream": "true", "response_format": "srt"}, "response_format"),
        ({"include": ["logprobs"], "response_format": "text"}, "include"),
        ({"keywords": ["x" * 600, "y" * 600]}, "keywords"),
        ({"response_format": "yaml"}, "response_format"),
        ({"response_format": "json", "timestamp_granularities": ["word"]}, "timestamp_granularities"),
    ],
)
def test_what_has_no_answer_is_refused_with_a_sentence(fields: dict[str, Any], param: str) -> None:
    form = parse(OpenAIForm, fields.items())
    with pytest.raises(InvalidRequest) as refused:
        form.refuse_unsupported()
    assert refused.value.param == param
