"""Uploads to a server that wraps a library: the same that the benchmark sends to every server."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from benchmarks.peer_server import app_of
from benchmarks.peers import Waveform
from benchmarks.runtimes.calls import CallError, call, crowd, upload
from tests.support.waiting import wait_until
from tests.support.words import JFK

AUDIO = Path(JFK).read_bytes()


class Library:
    """Counts its calls."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, bool]] = []

    def window(self, audio: Waveform, *, words: bool = False) -> str:
        self.heard.append((len(audio), words))
        return "heard"

    def speech(self, audio: Waveform) -> str:
        return self.window(audio)


@pytest.fixture
def served() -> Iterator[tuple[Library, str]]:
    """A library behind the wrapper, and the wrapper's address."""
    library = Library()
    server = uvicorn.Server(uvicorn.Config(app_of(library), port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started, within=30, every=0.01, what="the wrapper listens")
        yield library, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)


def test_a_library_hears_the_whole_clip_and_whether_words_are_wanted(served: tuple[Library, str]) -> None:
    library, url = served
    plain = call(upload(f"{url}/transcribe", AUDIO, {}))
    call(upload(f"{url}/transcribe", AUDIO, {"word_timestamps": "true"}))
    assert plain.text == "heard"
    assert 0 < plain.seconds < 30
    assert library.heard == [(176_000, False), (176_000, True)]


def test_an_answer_that_is_no_transcript_is_told_with_what_was_said(served: tuple[Library, str]) -> None:
    _, url = served
    with pytest.raises(CallError, match=r"/elsewhere answered 404: .*Not Found"):
        call(upload(f"{url}/elsewhere", AUDIO, {}))


def test_callers_share_the_calls_among_them(served: tuple[Library, str]) -> None:
    library, url = served
    done = crowd(upload(f"{url}/transcribe", AUDIO, {}), callers=3, calls=7)
    assert len(library.heard) == 7
    assert done.per_second == pytest.approx(7 / done.seconds)


def test_a_crowd_whose_call_fails_fails(served: tuple[Library, str]) -> None:
    _, url = served
    with pytest.raises(CallError):
        crowd(upload(f"{url}/elsewhere", AUDIO, {}), callers=2, calls=4)
