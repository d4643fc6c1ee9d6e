"""A long file and a short one on one worker: the short one waits for a window of the long one, not for its end."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import soundfile
from whisper_runtime.engine import Engine, Options, Stop, Transcript, Waveform
from whisper_runtime.serving.admission import Ticket

from tests.contract.runtime.service import TIMEOUT, Service, cpu_engine, hanging_up, npu_engine, serving, wav
from tests.support.waiting import wait_until
from tests.support.words import JFK, JFK_WORDS, SAMPLE, word_errors

SHORT = "admitted"
ROOMY: dict[str, Any] = {"max_queue_seconds": 1200, "max_audio_seconds": 1200, "max_upload_bytes": 50_000_000}


def ten_minutes() -> bytes:
    audio, rate = soundfile.read(SAMPLE, dtype="int16")
    return wav(np.tile(audio, -(-600 * rate // len(audio))), rate)


def write_down(engine: Engine, events: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step that the engine begins."""
    one, several = engine.transcribe, getattr(engine, "transcribe_together", None)

    def transcribe(audio: Waveform, options: Options, stop: Stop) -> Transcript:
        events.append("short" if options.prompt else "long")
        return one(audio, options, stop)

    def transcribe_together(*args: Any) -> Iterator[tuple[Transcript, ...]]:
        assert several is not None
        for final in several(*args):
            events.append("long together")
            yield final

    monkeypatch.setattr(engine, "transcribe", transcribe)
    if several is not None:
        monkeypatch.setattr(engine, "transcribe_together", transcribe_together)


def noting(service: Service, events: list[str]) -> Callable[[float], Ticket]:
    real = service.runtime.admission.admit

    def admit(seconds: float) -> Ticket:
        if seconds < 60:
            events.append(SHORT)
        return real(seconds)

    return admit


@pytest.mark.parametrize("make", [cpu_engine, npu_engine])
def test_a_short_file_waits_for_one_window_of_ten_minutes_at_most(
    make: Callable[[], tuple[Engine, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    with serving(*make(), **ROOMY) as service:
        runtime = service.runtime
        write_down(runtime.engine, events, monkeypatch)
        monkeypatch.setattr(runtime.admission, "admit", noting(service, events))
        with hanging_up(service.url, ten_minutes()):
            wait_until(lambda: "long" in events, within=TIMEOUT, every=0.001, what="a window of the long file is heard")
            said = [service.send(JFK.read_bytes(), prompt="A speech.").json()["text"] for _ in range(3)]
            assert service.queue == 1, "the long one goes on"
        gone = lambda: service.queue == 0 and not runtime.inference.threads.counters()  # noqa: E731 - a condition
        wait_until(gone, within=TIMEOUT, every=0.01, what="it noticed the hang-up")
    assert [word_errors(JFK_WORDS, text) for text in said] == [0, 0, 0]
    admitted = [at for at, event in enumerate(events) if event == SHORT]
    assert len(admitted) == len(said)
    for at in admitted:
        assert events.index("short", at) - at <= 2, "between admission and hearing, at most one window of the other"
