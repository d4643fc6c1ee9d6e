"""The process of a pipeline: it goes on saying that it works, and stops when nobody waits any more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from whisper_npu.child import __main__ as child
from whisper_npu.engine.messages import Leave, Left, Opened, Opening, Wish, Working
from whisper_runtime.engine import Options, Stop, Transcript, Waveform

from tests.unit.npu.engines import VOICE

NOTHING = Transcript((), "en")
PATIENCE = 30
Work = Callable[[Stop], None]


@contextmanager
def at_work(work: Work, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    """The runtime's end of a process that does this for each wish, and ends when that end is closed."""

    def hear(_audio: Waveform, _options: Options, stop: Stop) -> Transcript:
        work(stop)
        return NOTHING

    monkeypatch.setattr(child, "_opened", lambda _: hear)
    ours, theirs = Pipe()

    def serve() -> None:
        with theirs, pytest.raises(EOFError):
            child._serve(theirs, Opening(Path(), "CPU", {}))

    process = threading.Thread(target=serve)
    process.start()
    with ours:
        assert isinstance(said(ours), Opened)
        yield ours
    process.join(PATIENCE)
    assert not process.is_alive()


def said(runtime: Connection) -> object:
    assert runtime.poll(PATIENCE)
    return runtime.recv()


def test_work_that_nobody_waits_for_ends_at_its_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def forever(stop: Stop) -> None:
        while True:
            stop()

    with at_work(forever, monkeypatch) as runtime:
        for _ in range(2):
            runtime.send(Wish(VOICE, Options()))
            runtime.send(Leave())
            assert isinstance(next(one for one in iter(lambda: said(runtime), None) if one != Working()), Left)


def test_leaving_after_the_answer_ends_nothing_of_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    with at_work(lambda stop: stop(), monkeypatch) as runtime:
        for _ in range(2):
            runtime.send(Wish(VOICE, Options()))
            assert said(runtime) == NOTHING
            runtime.send(Leave())


def test_long_work_says_that_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_BEAT", 0.0)

    def steps(stop: Stop) -> None:
        for _ in range(3):
            stop()

    with at_work(steps, monkeypatch) as runtime:
        runtime.send(Wish(VOICE, Options()))
        assert [said(runtime) for _ in range(4)] == [Working(), Working(), Working(), NOTHING]


def test_work_ends_with_the_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()

    def forever(stop: Stop) -> None:
        while True:
            stop()
            begun.set()

    with at_work(forever, monkeypatch) as runtime:
        runtime.send(Wish(VOICE, Options()))
        assert begun.wait(PATIENCE)
