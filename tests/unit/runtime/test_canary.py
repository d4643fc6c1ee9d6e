"""What is proved before the first request, and that each proof can fail."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from whisper_models.artifact import Canary, Validation
from whisper_runtime.engine import Artifact, Options, Stop, Transcript, Waveform
from whisper_runtime.errors import EngineError
from whisper_runtime.fake import FakeEngine
from whisper_runtime.runtime import Runtime
from whisper_runtime.serving.admission import Admission
from whisper_runtime.serving.canary import FIRST, Check, clip, prove
from whisper_runtime.serving.inference import Inference
from whisper_runtime.serving.lifecycle import Phase
from whisper_runtime.settings import Settings

ARTIFACT = Artifact(Path("/nowhere"), "tiny.en", "int8", size_bytes=1)
NOTHING = np.zeros(0, np.float32)


class Mixing(FakeEngine):
    """Hears what it heard before together with what it hears now, in each of its workers by itself."""

    def __init__(self, workers: int = 1) -> None:
        super().__init__()
        self.info = replace(self.info, workers=workers)
        self.heard = [NOTHING] * workers
        self.turn = 0

    def transcribe(self, audio: Waveform, options: Options, stop: Stop) -> Transcript:
        before, self.heard[self.turn] = self.heard[self.turn], audio
        self.turn = (self.turn + 1) % len(self.heard)
        return super().transcribe(np.concatenate([before, audio]), options, stop)


class Late(FakeEngine):
    """Answers with what the request before should have got."""

    last: Transcript | None = None

    def transcribe(self, audio: Waveform, options: Options, stop: Stop) -> Transcript:
        mine = super().transcribe(audio, options, stop)
        answer, self.last = self.last or mine, mine
        return answer


async def proved(engine: FakeEngine, artifact: Artifact = ARTIFACT) -> frozenset[Check]:
    inference = Inference(engine, Admission(600, engine.info.workers))
    try:
        return await prove(inference, artifact)
    finally:
        inference.close(within=5)


@pytest.mark.parametrize(
    "make", [Mixing, lambda: Mixing(workers=2), Late], ids=["mixes", "mixes in each of two workers", "late"]
)
async def test_an_engine_that_lets_requests_see_each_others_audio_never_becomes_ready(
    make: Callable[[], FakeEngine],
) -> None:
    runtime = Runtime(make(), ARTIFACT, Settings(model="tiny.en"))
    await runtime.start()
    runtime.close()
    assert runtime.life.phase is Phase.FAILED
    assert "requests mix" in str(runtime.life.reason)
    assert b"whisper_canary_ok{" not in runtime.metrics.text()


async def test_an_engine_that_keeps_them_apart_has_proved_that_and_no_more() -> None:
    assert await proved(FakeEngine()) == {Check.ISOLATION}


@pytest.mark.parametrize("text", ["", "Always the same."])
async def test_an_engine_that_says_the_same_of_everything_has_proved_nothing(text: str) -> None:
    class Deaf(FakeEngine):
        def transcribe(self, audio: Waveform, options: Options, stop: Stop) -> Transcript:
            return super().transcribe(audio[:16_000], options, stop)

    assert await proved(Deaf(lambda _: text)) == frozenset()


KNOWN = Canary(clip="jfk.wav", text="11.00 SECONDS, of audio!")


async def test_words_are_proved_only_by_the_clip_that_the_manifest_names() -> None:
    right = replace(ARTIFACT, canary=KNOWN)
    assert await proved(FakeEngine(), right) == {Check.ISOLATION, Check.WORDS}
    wrong = replace(ARTIFACT, canary=KNOWN.model_copy(update={"text": "something else"}))
    with pytest.raises(EngineError, match="instead of 'something else'"):
        await proved(FakeEngine(), wrong)


def one_character_of_22_off(threshold: float) -> Artifact:
    validation = Validation(similarity=1, threshold=threshold, transcripts=())
    return replace(ARTIFACT, canary=Canary(clip="jfk.wav", text="11.00 seconds if audio"), validation=validation)


async def test_the_words_may_be_as_far_off_as_validation_allowed_and_no_further() -> None:
    assert Check.WORDS in await proved(FakeEngine(), one_character_of_22_off(threshold=0.95))
    with pytest.raises(EngineError, match=r"instead of '11\.00 seconds if audio'"):
        await proved(FakeEngine(), one_character_of_22_off(threshold=0.96))


async def test_other_words_never_pass_however_little_validation_asked_for() -> None:
    asked_for_nothing = Validation(similarity=0, threshold=0, transcripts=())
    canary = Canary(clip="jfk.wav", text="11.00 hours of video")
    with pytest.raises(EngineError, match="hours of video"):
        await proved(FakeEngine(), replace(ARTIFACT, canary=canary, validation=asked_for_nothing))


async def test_the_clip_is_heard_in_the_language_that_is_spoken_in_it() -> None:
    class Listening(FakeEngine):
        def transcribe(self, audio: Waveform, options: Options, stop: Stop) -> Transcript:
            languages.append(options.language)
            return super().transcribe(audio, options, stop)

    languages: list[str | None] = []
    await proved(Listening(), replace(ARTIFACT, canary=KNOWN))
    assert languages == [None, "en", None]


async def test_a_clip_of_another_version_is_named() -> None:
    with pytest.raises(EngineError, match=r"'kennedy\.wav'.*validate the variant again"):
        await proved(FakeEngine(), replace(ARTIFACT, canary=Canary(clip="kennedy.wav", text="")))


def test_the_clips_are_speech_of_different_lengths() -> None:
    assert [len(clip(FIRST.parent / name)) / 16_000 for name in ("americans.flac", "country.flac")] == [2.4, 2.7]
