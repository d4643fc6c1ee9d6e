"""How each server is asked: for the same, and for words' times only where they are wanted."""

import pytest

from benchmarks.runtimes.servers import KINDS, Server
from tests.support.words import JFK


@pytest.mark.parametrize("name", KINDS)
def test_a_form_has_the_clip_and_asks_for_words_only_where_they_are_wanted(name: str) -> None:
    server = Server(name, KINDS[name], "http://127.0.0.1:9", pid=1)
    plain, words = (server.upload(JFK, words=wanted) for wanted in (False, True))
    assert plain.address == f"http://127.0.0.1:9{KINDS[name].path}"
    assert all(JFK.read_bytes() in sent.wire for sent in (plain, words))
    (asked,) = KINDS[name].words.values()
    assert asked.encode() in words.wire.replace(JFK.read_bytes(), b"")
    assert asked.encode() not in plain.wire.replace(JFK.read_bytes(), b"")


@pytest.mark.parametrize("name", ["whisper-cpu", "whisper-npu"])
def test_ours_are_asked_without_voice_detection_as_the_others_have_none(name: str) -> None:
    assert KINDS[name].fields["vad"] == "false"
