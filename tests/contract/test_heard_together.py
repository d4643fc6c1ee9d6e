"""A long file whose windows are decoded at once has the words that it has when each is heard alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

import numpy as np
import pytest
from whisper_cpu.engine import CpuEngine, Options, load
from whisper_models.artifact import Format
from whisper_runtime.engine import SAMPLE_RATE, Stop, Transcript, Waveform, never
from whisper_runtime.results import Segment
from whisper_runtime.serving.stop import Cancelled
from whisper_runtime.speech.transcription import Heard, Left, find_windows, steps

from tests.support.artifacts import converted_folder
from tests.support.clips import TELLING, TOLD, telephone
from tests.support.espeak import speak
from tests.support.words import JFK_WORDS, jfk, sample_words, word_errors

STORY = " ".join(TOLD)
ENGLISH = Options(language="en")
SPOKEN = f"{sample_words()} {STORY} {JFK_WORDS} {JFK_WORDS} {STORY}"


@pytest.fixture(scope="module")
def audio() -> Waveform:
    """A telephone call, a story, a speech twice, and the story in another voice: a minute and a half."""
    told = [speak(STORY, voice).audio for voice in TELLING]
    return np.concatenate([telephone(), told[0], jfk(), jfk(), told[1]])


class Alone:
    """The same engine, asked for one window at a time."""

    def __init__(self, engine: CpuEngine) -> None:
        self.info, self.load, self.transcribe, self.close = engine.info, engine.load, engine.transcribe, engine.close


class Together:
    """The same engine, and how many windows it was given at once."""

    def __init__(self, engine: CpuEngine) -> None:
        self.info, self.load, self.transcribe, self.close = engine.info, engine.load, engine.transcribe, engine.close
        self._engine, self.most_together = engine, engine.most_together
        self.groups: list[int] = []

    def transcribe_together(
        self, audios: Sequence[Waveform], options: Options, stop: Stop
    ) -> Iterator[tuple[Transcript, ...]]:
        self.groups.append(len(audios))
        return self._engine.transcribe_together(audios, options, stop)


@pytest.fixture(scope="module")
def exact() -> CpuEngine:
    """In which nothing is rounded."""
    return load(converted_folder("tiny.en", Format.ONNX, "fp32"), context="full")


@pytest.fixture(scope="module")
def int8() -> CpuEngine:
    return load(converted_folder("tiny.en", Format.ONNX, "int8"))


@pytest.fixture(scope="module")
def multilingual() -> CpuEngine:
    return load(converted_folder("base", Format.ONNX, "int8"))


def hear(engine: Alone | Together, audio: Waveform, options: Options) -> Transcript:
    return next(made for made in steps(engine, audio, options, never) if isinstance(made, Heard)).transcript


def said(heard: Transcript) -> str:
    return "".join(segment.text for segment in heard.segments)


def starts(heard: Transcript) -> list[float]:
    return [word.start for segment in heard.segments for word in segment.words or ()]


@pytest.mark.parametrize(
    "options",
    [
        Options(language="en", word_timestamps=True),
        Options(prompt="A bridge, and a telephone call.", hotwords="pillars", logprobs=True),
    ],
    ids=["words", "prompt, hotwords and no language"],
)
def test_windows_heard_together_have_the_words_and_times_that_they_have_alone(
    exact: CpuEngine, audio: Waveform, options: Options
) -> None:
    together = Together(exact)
    one, four = hear(Alone(exact), audio, options), hear(together, audio, options)
    windows = len(find_windows(audio))
    assert together.groups[0] == min(4, windows - (options.language is None)) > 1
    assert said(four) == said(one)
    assert (four.language, four.suppressed) == (one.language, one.suppressed)
    assert np.allclose(starts(four), starts(one), atol=0.05)
    for mine, theirs in zip(four.segments, one.segments, strict=True):
        assert (mine.id, mine.seek, mine.start, mine.end) == (theirs.id, theirs.seek, theirs.start, theirs.end)
        assert mine.avg_logprob == pytest.approx(theirs.avg_logprob, abs=0.01)
        assert mine.no_speech_prob == pytest.approx(theirs.no_speech_prob, abs=0.01)


def test_in_8_bits_no_more_words_are_misheard(int8: CpuEngine, audio: Waveform) -> None:
    """The prompt of a batch is heard in floats and that of one window in 8 bits, so here and there a word differs."""
    together = Together(int8)
    one, four = (word_errors(SPOKEN, said(hear(engine, audio, ENGLISH))) for engine in (Alone(int8), together))
    print(f"word errors of {len(SPOKEN.split())}: alone {one}, together {four}")  # noqa: T201 - seen with -s
    assert max(together.groups) > 1
    assert four <= one + 0.05 * len(SPOKEN.split())


def test_in_8_bits_a_windows_words_do_not_depend_on_its_neighbours(int8: CpuEngine, audio: Waveform) -> None:
    windows = [audio[at * SAMPLE_RATE : (at + 29) * SAMPLE_RATE] for at in (0, 20, 40, 60)]
    among = [heard for final in int8.transcribe_together(windows, ENGLISH) for heard in final]
    first, last = (heard for final in int8.transcribe_together([windows[3], windows[0]], ENGLISH) for heard in final)
    assert (said(first), said(last)) == (said(among[3]), said(among[0]))
    assert said(first)
    assert said(last)


def test_a_window_that_needs_warmer_attempts_gets_them(int8: CpuEngine, audio: Waveform) -> None:
    """The same words again and again make a text that looks as if the model went in circles."""
    counting = speak("one two three, " * 16, "en-us").audio[: 29 * SAMPLE_RATE]
    windows = [audio[: 29 * SAMPLE_RATE], counting, audio[30 * SAMPLE_RATE : 59 * SAMPLE_RATE]]
    finals = list(int8.transcribe_together(windows, ENGLISH))
    assert [len(final) for final in finals[:3]] == [0, 0, 0]
    _, circling, _ = (heard for final in finals for heard in final)
    assert "repetition" in circling.suppressed
    assert said(circling)


def test_giving_up_in_the_middle_of_a_batch_leaves_no_trace(multilingual: CpuEngine, audio: Waveform) -> None:
    windows = [audio[at * SAMPLE_RATE : (at + 29) * SAMPLE_RATE] for at in (0, 30)]
    before = list(multilingual.transcribe_together(windows, ENGLISH))
    calls = count()

    def stop() -> None:
        if next(calls) == 20:
            raise Cancelled

    other = Options(language="de", task="translate", prompt="Etwas ganz anderes.", word_timestamps=True)
    with pytest.raises(Cancelled):
        list(multilingual.transcribe_together(windows[::-1], other, stop))
    assert list(multilingual.transcribe_together(windows, ENGLISH)) == before


def test_between_the_steps_of_a_batch_another_file_is_heard(int8: CpuEngine, audio: Waveform) -> None:
    undisturbed = list(steps(int8, audio, ENGLISH, never))
    among, found = steps(int8, audio, ENGLISH, never), list[Left | Heard]()
    for made in among:
        found.append(made)
        heard = int8.transcribe(jfk(), Options(prompt="A speech."))
        assert word_errors(JFK_WORDS, said(heard)) == 0
    assert _segments(found) == _segments(undisturbed)
    left = [one.seconds for one in found if isinstance(one, Left)]
    assert left == sorted(left, reverse=True)
    assert len(left) >= len(find_windows(audio)), "each window of a batch is encoded in a step of its own"


def _segments(made: list[Left | Heard]) -> tuple[Segment, ...]:
    (heard,) = (one for one in made if isinstance(one, Heard))
    return heard.transcript.segments
