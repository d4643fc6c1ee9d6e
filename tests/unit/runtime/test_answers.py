"""The Result and OpenAI's formats."""

import math

import pytest
from whisper_runtime.api import answers
from whisper_runtime.engine import EngineInfo, Options, Transcript
from whisper_runtime.results import DeviceUse, Result, Segment, Timing, Word
from whisper_runtime.runtime import Done
from whisper_runtime.serving.inference import Outcome
from whisper_runtime.speech.transcription import Heard

INFO = EngineInfo("cpu", "fake", DeviceUse(requested="CPU", used="CPU"))
WORD = Word(word=" Hello", start=0.5, end=0.9, probability=0.9, timing=Timing.DTW)
SEGMENTS = (
    Segment(id=0, start=0.5, end=1.5, text=" Hello.", avg_logprob=math.log(0.5), words=(WORD,)),
    Segment(id=1, start=3661.25, end=3662.0, text=" A --> B\n\nC"),
)


def result(segments: tuple[Segment, ...] = SEGMENTS, *, words: bool = True) -> Result:
    heard = Heard(Transcript(segments, "en"), vad_seconds=0.1, inference_seconds=0.5)
    done = Done(Outcome(heard, 0.2), audio_seconds=10.2, decode_seconds=0.05, total_seconds=1.0)
    return answers.result_of(done, Options(word_timestamps=words), INFO, "base", "id", ["prompt", "prompt"])


def test_the_result_has_everything_once() -> None:
    r = result()
    assert r.text == "Hello. A --> B\n\nC"
    assert r.words == (WORD,)
    assert r.degraded == ("prompt",)
    assert r.timings.model_dump() == {
        "queue": 0.2,
        "decode": 0.05,
        "vad": 0.1,
        "inference": 0.5,
        "align": None,
        "diarize": None,
    }


def test_words_are_null_unless_asked_for() -> None:
    assert result(words=False).words is None


def test_confidence_is_the_mean_probability_and_null_where_no_engine_said() -> None:
    assert result().confidence == pytest.approx(0.5)
    assert answers.confidence(SEGMENTS[1:]) is None


def test_verbose_json_has_numbers_where_clients_want_numbers() -> None:
    body = answers.verbose_json(result(), ())
    assert body["language"] == "english"
    assert body["segments"][1]["avg_logprob"] == 0.0
    assert "words" not in body


def test_word_granularity_alone_gives_words_alone() -> None:
    body = answers.verbose_json(result(), ("word",))
    assert body["words"] == [{"word": "Hello", "start": 0.5, "end": 0.9}]
    assert "segments" not in body


def test_subtitles_are_numbered_and_no_text_breaks_a_block() -> None:
    assert answers.srt(result()) == (
        "1\n00:00:00,500 --> 00:00:01,500\nHello.\n\n2\n01:01:01,250 --> 01:01:02,000\nA -> B C\n"
    )
    assert answers.vtt(result()).startswith("WEBVTT\n\n00:00:00.500 --> 00:00:01.500\nHello.\n")


def test_silence_gives_empty_answers_in_every_format() -> None:
    silent = result(())
    assert (silent.text, silent.words, silent.confidence) == ("", (), None)
    assert answers.srt(silent) == ""
    assert answers.verbose_json(silent, ())["segments"] == []
