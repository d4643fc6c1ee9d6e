"""The two ends of a contender's process, with a peer that needs no model."""

import os
import wave
from pathlib import Path

import pytest

from benchmarks.contender import Contender, ContenderError
from benchmarks.peers import Setting


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    file = tmp_path / "clip.wav"
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(bytes(32_000))
    return file


def setting(module: str) -> Setting:
    return Setting(module, "/nowhere", threads=1, multilingual=True)


def test_a_setting_survives_the_way_into_the_process() -> None:
    assert Setting.from_json(setting("a.b").to_json()) == setting("a.b")


def test_a_take_has_the_text_the_times_and_the_peak(clip: Path) -> None:
    with Contender(setting("tests.unit.benchmarks.echo")) as contender:
        take = contender.take(clip)
        speech = contender.take(clip, vad=True)
        words = contender.take(clip, words=True)
    assert words.text.endswith("with words")
    assert take.text == f"window of 16000 on {min(os.sched_getaffinity(0))}"
    assert speech.text.startswith("speech of 16000")
    assert take.seconds > 0
    assert 1 < take.peak_mib < 1000


def test_what_a_library_prints_does_not_disturb_the_answers(clip: Path) -> None:
    with Contender(setting("tests.unit.benchmarks.chatty")) as contender:
        assert contender.take(clip).text == "heard"


def test_a_contender_that_cannot_start_says_why() -> None:
    with pytest.raises(ContenderError, match=r"No module named 'tests.unit.benchmarks.absent'"):
        Contender(setting("tests.unit.benchmarks.absent"))
