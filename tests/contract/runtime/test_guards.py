"""What an engine leaves out as a hallucination is counted, window by window and by rule."""

from dataclasses import replace

from whisper_runtime.engine import SAMPLE_RATE, Options, Stop, Transcript, Waveform
from whisper_runtime.fake import FakeEngine

from tests.contract.runtime.service import fake_engine, long_speech, serving, wav
from tests.support.sounds import hiss


class Doubting(FakeEngine):
    """Believes nothing that it hears."""

    def transcribe(self, audio: Waveform, options: Options, stop: Stop) -> Transcript:
        heard = super().transcribe(audio, options, stop)
        return replace(heard, segments=(), suppressed=("repetition", "no_speech"), heard_in_full=("unsure",))


def test_what_is_left_out_is_counted_by_rule() -> None:
    engine = Doubting()
    with serving(engine, fake_engine()[1]) as service:
        engine.asked.clear()
        assert service.send(long_speech()).json()["text"] == ""
        lines = service.client.get("/metrics").text.splitlines()
    counts = [line for line in lines if line.startswith("whisper_hallucination_suppressed_total{")]
    windows = len(engine.asked)
    assert windows > 1
    assert len(counts) == 2
    for rule in ("repetition", "no_speech"):
        assert any(f'rule="{rule}"' in line and line.endswith(f"}} {windows}.0") for line in counts)


def test_windows_heard_once_more_in_full_are_counted_by_reason() -> None:
    engine = Doubting()
    with serving(engine, fake_engine()[1]) as service:
        engine.asked.clear()
        service.send(long_speech())
        lines = service.client.get("/metrics").text.splitlines()
    counts = [line for line in lines if line.startswith("whisper_heard_in_full_total{")]
    assert len(counts) == 1
    assert 'reason="unsure"' in counts[0]
    assert counts[0].endswith(f"}} {len(engine.asked)}.0")


def test_where_nobody_speaks_nothing_is_heard_and_that_is_counted_where_it_was_asked_for() -> None:
    engine, noise = FakeEngine(), wav(hiss(5 * SAMPLE_RATE))
    with serving(engine, fake_engine()[1]) as service:
        engine.asked.clear()
        answers = [service.send(noise, vad=vad).json() for vad in ("true", "false")]
        lines = service.client.get("/metrics").text.splitlines()
    assert [answer["text"] for answer in answers] == ["", ""]
    assert engine.asked == []
    (count,) = [line for line in lines if line.startswith("whisper_hallucination_suppressed_total{")]
    assert 'rule="no_voice"' in count
    assert count.endswith("} 1.0")
