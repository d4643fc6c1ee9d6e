"""The walk over a waveform, and what of the pipeline's text is believed."""

from collections.abc import Callable

import numpy as np
import pytest
from whisper_npu.child.hearing import Chunk, Heard, cut, transcribe
from whisper_npu.engine.messages import Wish
from whisper_runtime.engine import SAMPLE_RATE, Options, Transcript, Waveform, never

from tests.unit.npu.engines import VOICE

LOOP = " you know," * 40
SPEECH = "".join(f" {number * number * 7919 % 99991}" for number in range(40, 90))
MINUTE = np.tile(VOICE, 60 * SAMPLE_RATE // len(VOICE) + 1)[: 60 * SAMPLE_RATE]


def heard(says: Callable[[Wish], Heard], audio: Waveform = VOICE, **options: object) -> tuple[Transcript, list[Wish]]:
    wishes: list[Wish] = []

    def hear(audio: Waveform, options: Options) -> Heard:
        wishes.append(Wish(audio, options))
        return says(wishes[-1])

    return transcribe(hear, audio, Options(**options), never), wishes  # type: ignore[arg-type]  # options by name


def one(text: str, start: float = 0.0, end: float | None = 2.0) -> Heard:
    return Heard((Chunk(start, end, text),), (), "en")


def test_a_text_that_goes_in_circles_is_tried_again_warmer() -> None:
    words = " my fellow Americans, ask"
    transcript, wishes = heard(lambda wish: one(words if wish.options.temperature > 0.3 else LOOP))
    assert [segment.text for segment in transcript.segments] == [words]
    assert [wish.options.temperature for wish in wishes] == [0.0, 0.2, 0.4]
    assert transcript.segments[0].temperature == 0.4
    assert transcript.suppressed == ("repetition", "repetition")


def test_if_every_attempt_goes_in_circles_the_least_of_them_stays() -> None:
    transcript, wishes = heard(lambda wish: one(LOOP + (" but why not" if wish.options.temperature == 0.6 else "")))
    assert len(wishes) == 6
    assert transcript.segments[0].text.endswith("why not")


def test_what_is_not_known_is_null() -> None:
    (segment,) = heard(lambda _: one(" my fellow Americans"))[0].segments
    assert (segment.avg_logprob, segment.no_speech_prob, segment.words) == (None, None, None)
    assert segment.compression_ratio is not None


def test_each_segment_gets_its_own_words() -> None:
    chunks = (Chunk(0.0, 1.0, " my fellow"), Chunk(1.0, 2.0, " Americans."))
    words = (Chunk(0.1, 0.4, " my"), Chunk(0.4, 0.9, " fellow"), Chunk(1.2, 1.9, " Americans."))
    transcript, wishes = heard(lambda _: Heard(chunks, words, "en"), word_timestamps=True)
    said = [[(word.word, word.start) for word in segment.words or ()] for segment in transcript.segments]
    assert said == [[(" my", 0.1), (" fellow", 0.4)], [(" Americans.", 1.2)]]
    assert {word.timing for segment in transcript.segments for word in segment.words or ()} == {"dtw"}
    assert wishes[0].options.word_timestamps


def test_the_language_of_the_first_window_holds_for_the_next() -> None:
    transcript, wishes = heard(lambda wish: one(SPEECH, end=len(wish.audio) / SAMPLE_RATE), MINUTE)
    assert [wish.options.language for wish in wishes] == [None, "en"]
    assert transcript.language == "en"
    assert [(segment.start, segment.end, segment.seek) for segment in transcript.segments] == [
        (0.0, 30.0, 0),
        (30.0, 60.0, 3000),
    ]


def test_speech_after_the_last_timestamp_is_heard_again_and_silence_is_not() -> None:
    silence = np.zeros(5 * SAMPLE_RATE, np.float32)
    ends = len(VOICE) / SAMPLE_RATE
    says = " my fellow Americans, ask not what your"
    _, with_speech = heard(lambda _: one(says, end=ends), np.concatenate([VOICE, silence, VOICE]))
    _, without = heard(lambda _: one(says, end=ends), np.concatenate([VOICE, silence]))
    assert len(with_speech) > 1
    assert len(without) == 1


@pytest.mark.parametrize("length", [0, 100, 1599])
def test_what_is_too_short_for_a_word_is_not_heard(length: int) -> None:
    assert heard(lambda _: one(" you"), np.zeros(length, np.float32)) == (Transcript((), None), [])


CUTS = [
    ("the whole window where one text fills it", [(0, 30)], True, [(0, 30)], 30),
    ("a text at the edge is heard again with what follows", [(0, 20), (20, 30)], True, [(0, 20)], 20),
    ("a text that did not end is heard again", [(0, 20)], True, [(0, 20)], 20),
    ("the end of the audio cuts nothing off", [(0, 20), (20, 30)], False, [(0, 20), (20, 30)], 30),
    ("a text without an end lasts to the window's", [(1, None)], True, [(1, 30)], 30),
    ("no text", [], True, [], 30),
    ("times lie inside the window", [(0, 31)], False, [(0, 30)], 30),
    ("it always goes on", [(0, 0.5)], True, [(0, 0.5)], 30),
    ("a short rest is not heard again", [(0, 29.5)], False, [(0, 29.5)], 30),
]


@pytest.mark.parametrize(("given", "more", "kept", "step"), [c[1:] for c in CUTS], ids=[c[0] for c in CUTS])
def test_windows_are_cut(
    given: list[tuple[float, float | None]], *, more: bool, kept: list[tuple[float, float]], step: float
) -> None:
    chunks = tuple(Chunk(start, end, " text") for start, end in given)
    inside, samples = cut(chunks, 30 * SAMPLE_RATE, more=more)
    assert [(chunk.start, chunk.end) for chunk in inside] == kept
    assert samples == step * SAMPLE_RATE
