"""What an engine leaves out as a hallucination is counted, window by window and by rule."""

from dataclasses import replace

from whisper_runtime.engine import Options, Stop, Transcript, Waveform
from whisper_runtime.fake import FakeEngine

from tests.contract.runtime.service import fake_engine, long_speech, serving


class Doubting(FakeEngine):
    """Believes nothing that it hears."""

    def transcribe(self, audio: Waveform, options: Options, stop: Stop) -> Transcript:
        heard = super().transcribe(audio, options, stop)
        return replace(heard, segments=(), suppressed=("repetition", "no_speech"))


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
