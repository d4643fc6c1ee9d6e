"""What validation listens to."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from whisper_models.clips import BUNDLED, Clip, bundled
from whisper_models.errors import UnusableSample
from whisper_models.validate.samples import MOST, digest_of, samples_in
from whisper_models.validate.windows import RATE, windows


def wav(path: Path, seconds: float, rate: int = RATE, channels: int = 1) -> Path:
    soundfile.write(path, np.zeros((round(seconds * rate), channels), np.float32), rate)
    return path


def test_the_bundled_clip_comes_first_and_names_say_the_language(tmp_path: Path) -> None:
    for name in ("b.de.wav", "a.wav", "meeting.2.wav", "notes.txt"):
        wav(tmp_path / name, 1) if name.endswith("wav") else (tmp_path / name).touch()
    clips = samples_in(tmp_path)
    assert clips[: len(BUNDLED)] == BUNDLED
    assert [(clip.name, clip.language) for clip in clips[len(BUNDLED) :]] == [
        ("a.wav", None),
        ("b.de.wav", "de"),
        ("meeting.2.wav", None),
    ]


def test_a_folder_without_clips_or_with_too_many_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableSample, match="holds 0 wav files"):
        samples_in(tmp_path)
    for number in range(MOST + 1):
        (tmp_path / f"{number}.wav").touch()
    with pytest.raises(UnusableSample, match=f"holds {MOST + 1} wav files"):
        samples_in(tmp_path)


def test_the_digest_changes_with_content_name_language_and_order(tmp_path: Path) -> None:
    one, other = wav(tmp_path / "one.wav", 1), wav(tmp_path / "other.wav", 2)
    sets = [
        [Clip(one, "en"), Clip(other, "en")],
        [Clip(other, "en"), Clip(one, "en")],
        [Clip(one, "en")],
        [Clip(one, "de")],
        [Clip(one, None)],
    ]
    first = digest_of(sets[0])
    assert len({digest_of(samples) for samples in sets}) == len(sets)
    assert digest_of(sets[0]) == first
    wav(one, 1.5)
    assert digest_of(sets[0]) != first


@pytest.mark.parametrize(("seconds", "lengths"), [(11.0, [11.0]), (30.0, [30.0]), (31.0, [15.5, 15.5])])
def test_a_clip_is_heard_at_16_khz_in_equal_windows_of_at_most_30_s(
    tmp_path: Path, seconds: float, lengths: list[float]
) -> None:
    clip = Clip(wav(tmp_path / "a.wav", seconds, rate=44_100, channels=2), None)
    heard = windows(clip)
    assert [pytest.approx(len(window) / RATE, abs=0.001) for window in heard] == lengths
    assert {(window.dtype, window.ndim) for window in heard} == {(np.dtype(np.float32), 1)}


@pytest.mark.parametrize("seconds", [0.0, 0.4, 121.0])
def test_a_clip_that_is_too_short_or_too_long_is_refused(tmp_path: Path, seconds: float) -> None:
    with pytest.raises(UnusableSample, match=rf"a\.wav lasts {seconds:.1f} s"):
        windows(Clip(wav(tmp_path / "a.wav", seconds), None))


def test_the_clip_that_comes_along_is_found_by_its_name_alone() -> None:
    assert bundled("jfk.wav") == BUNDLED[0]
    assert bundled("../jfk.wav") is None
    assert len(windows(BUNDLED[0])) == 1
