"""An engine without a model, for tests of everything around one. It passes the same contract tests as a real one.

It says whatever it is told to say about a waveform, at the pace it is told, and can be held or made to fail.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable

from whisper_runtime.engine import SAMPLE_RATE, Artifact, Device, EngineInfo, Options, Stop, Transcript, Waveform
from whisper_runtime.results import DeviceUse, Segment, Timing, TokenLogprob, Word

_STEP = 0.005


def _duration(audio: Waveform) -> str:
    return f"{len(audio) / SAMPLE_RATE:.2f} seconds of audio"


class FakeEngine:
    """`says` maps a waveform to its text; `hold` stops every transcription until `release` is set."""

    def __init__(self, says: Callable[[Waveform], str] = _duration, *, hold: bool = False) -> None:
        self.info = EngineInfo(
            runtime="cpu",
            engine="fake",
            device=DeviceUse(requested="CPU", used="CPU"),
            capabilities=frozenset({"words", "prompt", "hotwords", "logprobs"}),
            languages=("en",),
            devices=(Device("CPU", "no device at all"),),
        )
        self.says = says
        self.asked: list[Options] = []
        """What each transcription was asked for."""
        self.failure: BaseException | None = None
        self.load_failure: Exception | None = None
        self.release = threading.Event()
        if not hold:
            self.release.set()
        self.moving = threading.Event()
        """Clear it, and a transcription hangs: it does not even ask whether to stop."""
        self.moving.set()

    def load(self, artifact: Artifact) -> None:  # noqa: ARG002 - the Protocol's argument; nothing is read
        """Fail if told to."""
        if self.load_failure is not None:
            raise self.load_failure

    def transcribe(self, audio: Waveform, options: Options, stop: Stop) -> Transcript:
        """Say the text, once released."""
        self.asked.append(options)
        self.moving.wait()
        stop()
        while not self.release.wait(_STEP):
            stop()
        if self.failure is not None:
            raise self.failure
        text, end = self.says(audio), len(audio) / SAMPLE_RATE
        words = _spread(text, end) if options.word_timestamps else None
        segment = Segment(
            id=0,
            start=0.0,
            end=end,
            text=text,
            temperature=options.temperature,
            words=words,
            logprobs=_sure(text) if options.logprobs else None,
        )
        return Transcript((segment,) if text else (), language=options.language or "en")

    def close(self) -> None:
        """Let go whatever is held."""
        self.release.set()


def _spread(text: str, end: float) -> tuple[Word, ...]:
    """Words at equal distances: honest about being made up."""
    parts = text.split()
    step = end / max(1, len(parts))
    return tuple(
        Word(word=f" {part}", start=i * step, end=(i + 1) * step, timing=Timing.INTERPOLATED)
        for i, part in enumerate(parts)
    )


def _sure(text: str) -> tuple[TokenLogprob, ...]:
    """Each word a token that is as likely as not."""
    pieces = re.findall(r"\s*\S+", text)
    return tuple(TokenLogprob(token=p, logprob=math.log(0.5), bytes=tuple(p.encode())) for p in pieces)
