"""The same words, whatever they were recorded in."""

import pytest
import soundfile

from tests.contract.runtime.service import Service
from tests.support.media import FFMPEG, LIBSNDFILE, by_ffmpeg, by_libsndfile
from tests.support.words import JFK, JFK_WORDS, word_errors

SAMPLES, RATE = soundfile.read(JFK, dtype="float32")
FILES = {kind.name: by_ffmpeg(SAMPLES, RATE, kind, layout="stereo") for kind in FFMPEG}
FILES |= {name: by_libsndfile(SAMPLES, RATE, form, subtype) for name, form, subtype in LIBSNDFILE}


@pytest.mark.parametrize("name", FILES)
def test_a_file_gives_its_words(service: Service, name: str) -> None:
    answer = service.send(FILES[name])
    assert answer.status_code == 200
    assert word_errors(JFK_WORDS, answer.json()["text"]) == 0
    assert answer.json()["duration"] == pytest.approx(11, abs=0.1)
