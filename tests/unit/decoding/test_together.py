"""Windows decoded at once are heard as they are alone, in steps between which others may have the listener."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count

import numpy as np
import pytest
from whisper_runtime.decoding.listener import Listener
from whisper_runtime.decoding.mel import RATE, Floats
from whisper_runtime.decoding.together import hear_together
from whisper_runtime.engine import Options, Stop, Transcript, never
from whisper_runtime.serving.stop import Cancelled

from tests.support.told import END, TIME, FirstSample, Line, Told, vocabulary

PLAIN = Options()
SHORT, LONG, LOOP, SILENT, OPEN, REST = range(6)
SCRIPT = {
    SHORT: Line([TIME, 0, TIME + 150, END]),
    LONG: Line([TIME, 0, TIME + 200, TIME + 200, 0, 0, TIME + 400, END]),
    LOOP: Line([TIME, *[0] * 60, TIME + 150, END]),
    SILENT: Line([], silent=True),
    OPEN: Line([TIME, 0, TIME + 600, TIME + 600, 0, 0, END]),
    REST: Line([TIME, 0, 0, 0, TIME + 100, END]),
}
"""What the model says of a window that is called so; what it leaves open of one at 12 s is a rest of its own."""


def window(name: int) -> Floats:
    audio = np.full(20 * RATE, name, np.float32)
    if name == OPEN:
        audio[12 * RATE :] = REST
    return audio


class Worker:
    """A listener that can be borrowed, and how often it was."""

    def __init__(self) -> None:
        self.model = Told(SCRIPT)
        self._listener = Listener(self.model, vocabulary(), FirstSample(80), "full")
        self.steps, self.borrowed = 0, False

    @contextmanager
    def borrow(self) -> Iterator[Listener]:
        assert not self.borrowed
        self.steps, self.borrowed = self.steps + 1, True
        try:
            yield self._listener
        finally:
            self.borrowed = False

    def alone(self, name: int, options: Options = PLAIN) -> Transcript:
        return self._listener.transcribe(window(name), options, never)

    def together(
        self,
        names: Sequence[int],
        options: Options = PLAIN,
        stop: Stop = never,
    ) -> Iterator[tuple[Transcript, ...]]:
        for final in hear_together(self.borrow, [window(name) for name in names], options, stop):
            assert not self.borrowed, "between two steps others may have it"
            yield final


def joined(steps: Iterator[tuple[Transcript, ...]]) -> list[Transcript]:
    return [heard for final in steps for heard in final]


@pytest.mark.parametrize(
    "options",
    [Options(), Options(prompt="again again", hotwords="again"), Options(temperature=0.4), Options(logprobs=True)],
)
def test_each_is_heard_as_it_is_alone(options: Options) -> None:
    worker, names = Worker(), (LONG, LOOP, OPEN, SILENT, SHORT)
    assert joined(worker.together(names, options)) == [worker.alone(name, options) for name in names]
    assert worker.model.batches == [5]


def test_windows_with_nothing_left_to_do_take_a_step_each_and_one_for_all() -> None:
    worker = Worker()
    finals = list(worker.together((SHORT, LONG, SILENT)))
    assert [len(final) for final in finals] == [0, 0, 0, 3]
    assert worker.steps == 4


def test_what_has_to_be_heard_again_is_a_step_of_its_own_and_those_behind_it_wait() -> None:
    worker = Worker()
    finals = list(worker.together((SHORT, LOOP, LONG, OPEN)))
    assert [len(final) for final in finals] == [0, 0, 0, 0, 1, 2, 1]
    assert worker.steps == 7


def test_counters_are_each_windows_own() -> None:
    looping, silent, short = joined(Worker().together((LOOP, SILENT, SHORT)))
    assert (looping.suppressed, silent.suppressed, short.suppressed) == (("repetition",) * 5, ("no_speech",), ())


def test_nobody_waits_for_it_any_more_at_any_moment() -> None:
    """The first call of `stop` that raises is the last one, wherever it is, and the listener then hears another."""
    for last in count(1, 11):
        worker, calls = Worker(), count(1)

        def stop(calls: Iterator[int] = calls, last: int = last) -> None:
            if next(calls) == last:
                raise Cancelled

        try:
            list(worker.together((SHORT, LOOP), stop=stop))
        except Cancelled:
            assert next(calls) == last + 1
            assert not worker.borrowed
            assert worker.alone(SHORT) == Worker().alone(SHORT)
        else:
            assert last > 60, "it asks at each token"
            return
