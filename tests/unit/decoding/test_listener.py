"""What a listener does with a window that it does not believe, over a model that says what it is told."""

from __future__ import annotations

import numpy as np
from whisper_runtime.decoding.context import ContextMode
from whisper_runtime.decoding.listener import Listener
from whisper_runtime.decoding.mel import RATE
from whisper_runtime.engine import Options, never

from tests.support.told import END, TIME, FirstSample, Line, Told, vocabulary

CLIP = np.zeros(3 * RATE, np.float32)
SAID = {0: Line([TIME, 0, TIME + 150, END])}
LOOP = {0: Line([TIME, *[0] * 60, TIME + 150, END])}


def listener(model: Told, context: ContextMode) -> Listener:
    return Listener(model, vocabulary(), FirstSample(80), context)


def test_what_is_believed_is_heard_once() -> None:
    heard = listener(Told(cut=SAID, full=LOOP), "cut").transcribe(CLIP, Options(), never)
    assert [segment.text for segment in heard.segments] == ["again"]
    assert heard.heard_in_full == ()


def test_what_goes_in_circles_is_heard_once_more_in_full() -> None:
    heard = listener(Told(cut=LOOP, full=SAID), "cut").transcribe(CLIP, Options(), never)
    assert [segment.text for segment in heard.segments] == ["again"]
    assert heard.heard_in_full == ("no_end",)
    assert heard.suppressed == ()


def test_attempts_that_go_in_circles_are_counted_but_for_the_one_that_is_kept() -> None:
    heard = listener(Told(cut=SAID, full=LOOP), "full").transcribe(CLIP, Options(), never)
    assert heard.suppressed == ("repetition",) * 5
    assert heard.heard_in_full == ()
