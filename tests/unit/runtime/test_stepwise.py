"""Files share threads step by step; each can be given up at any moment, and gives back all that it took."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Self

import numpy as np
import pytest
from whisper_runtime.engine import SAMPLE_RATE, Options, Stop, Transcript, Waveform
from whisper_runtime.errors import DeadlineExceeded
from whisper_runtime.fake import FakeEngine
from whisper_runtime.serving.admission import Admission
from whisper_runtime.serving.canary import FIRST, clip
from whisper_runtime.serving.inference import Inference, Outcome
from whisper_runtime.serving.stop import Cancelled, StopFlag
from whisper_runtime.speech.windows import MAX_SAMPLES

from tests.support.waiting import wait_until

VOICE = clip(FIRST)
LONG, SHORT = np.resize(VOICE, 10 * MAX_SAMPLES), VOICE[:SAMPLE_RATE]


class Together(FakeEngine):
    """Hears three windows at once, and knows of how many files it has some."""

    most_together = 3

    def __init__(self, says: Callable[[Waveform], str]) -> None:
        super().__init__(says, hold=True)
        self.begun: list[int] = []
        """How many files were in the middle of that whenever one more was."""
        self._open = 0

    def transcribe_together(
        self, audios: Sequence[Waveform], options: Options, stop: Stop
    ) -> Iterator[tuple[Transcript, ...]]:
        self._open += 1
        self.begun.append(self._open)
        try:
            for audio in audios[:-1]:
                self.transcribe(audio, options, stop)
                yield ()
            last = self.transcribe(audios[-1], options, stop)
        finally:
            self._open -= 1
        yield tuple(last for _ in audios)


class Steps:
    """One thread, an engine that writes down how long each waveform is that it hears, and who waits for answers."""

    def __init__(self, engine: type[Together] | None = None) -> None:
        self.heard: list[int] = []
        self.engine = engine(self._says) if engine else FakeEngine(self._says, hold=True)
        self.admission = Admission(600, workers=1)
        self.inference = Inference(self.engine, self.admission)

    def _says(self, audio: Waveform) -> str:
        self.heard.append(len(audio))
        return "words"

    def send(self, audio: Waveform, seconds: float = 60, language: str | None = None) -> asyncio.Task[Outcome]:
        stop = StopFlag(seconds, "id")
        return asyncio.create_task(self.inference.run(audio, Options(language=language), stop, vad=None))

    async def until(self, see: Callable[[], bool]) -> None:
        await asyncio.to_thread(wait_until, see, within=30, every=0.001, what="see the test")

    async def at_work(self) -> None:
        await self.until(lambda: len(self.engine.asked) == 1)

    async def empty(self) -> None:
        await self.until(lambda: not self.admission.depth and not self.inference.threads.counters())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.release.set()
        assert self.inference.close(within=30)


async def test_a_short_file_waits_for_one_window_of_a_long_one_and_for_no_more() -> None:
    with Steps() as steps:
        long = steps.send(LONG)
        await steps.at_work()
        short = [steps.send(SHORT) for _ in range(2)]
        await asyncio.sleep(0)
        steps.engine.release.set()
        waited = [(await sent).queue_seconds for sent in short]
        await long
    assert steps.heard[1:3] == [len(SHORT)] * 2
    assert sum(steps.heard) == len(LONG) + 2 * len(SHORT)
    assert max(steps.heard) <= MAX_SAMPLES
    assert all(waited)


async def test_of_one_file_for_each_thread_windows_are_kept_that_are_heard_together_and_none_waits_for_ever() -> None:
    with Steps(Together) as steps:
        given_up, *long = [steps.send(LONG[: n * MAX_SAMPLES], language="en") for n in (2, 3, 4, 5)]
        await steps.at_work()
        short = steps.send(SHORT)
        await asyncio.sleep(0)
        given_up.cancel()
        steps.engine.release.set()
        await short
        for sent in long:
            await sent
        await steps.empty()
    assert isinstance(steps.engine, Together)
    assert set(steps.engine.begun) == {1}
    assert len(steps.engine.begun) >= 1 + 2 + 2
    assert steps.heard.index(len(SHORT)) <= 2


async def test_what_one_file_asks_for_and_finds_is_in_none_of_the_others_windows() -> None:
    with Steps() as steps:
        long, other = steps.send(LONG, language="de"), steps.send(LONG[: 3 * MAX_SAMPLES], language="fr")
        steps.engine.release.set()
        said = [(await sent).heard.transcript for sent in (long, other)]
    assert [{one.language} for one in said] == [{"de"}, {"fr"}]
    asked = [options.language for options in steps.engine.asked]
    assert asked.index("fr") < len(asked) - 1 - asked[::-1].index("de")
    assert [segment.id for segment in said[0].segments] == list(range(len(said[0].segments)))


async def test_the_speed_that_is_measured_is_that_of_the_work_without_the_waiting_for_turns() -> None:
    with Steps() as steps:
        begun = time.perf_counter()
        sent = [steps.send(LONG[: 5 * MAX_SAMPLES]) for _ in range(2)]
        await steps.at_work()
        steps.engine.release.set()
        first, second = [await one for one in sent]
        assert first.queue_seconds
        assert second.queue_seconds
        took = [one.heard.inference_seconds + one.heard.vad_seconds for one in (first, second)]
        assert sum(took) <= time.perf_counter() - begun, "one thread did it all"
        speeds = [150 / seconds for seconds in took]
        assert min(speeds) <= steps.admission.speed <= max(speeds)


async def test_a_file_that_is_given_up_while_others_have_their_turn_takes_no_place_any_more() -> None:
    with Steps() as steps:
        first = steps.send(SHORT)
        await steps.at_work()
        waiting = [steps.send(LONG[: 5 * MAX_SAMPLES]) for _ in range(3)]
        await steps.until(lambda: steps.admission.depth == 4)
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await steps.until(lambda: steps.admission.depth == 1)
        steps.engine.release.set()
        await first
        await steps.empty()
    assert steps.heard == [len(SHORT)]


async def test_a_files_time_is_over_between_its_turns_too() -> None:
    with Steps() as steps:
        steps.engine.release.set()
        late = steps.send(LONG, seconds=0)
        with pytest.raises(DeadlineExceeded):
            await late
        assert (await steps.send(SHORT)).heard.transcript.segments
        await steps.empty()


async def test_a_failure_in_one_window_is_the_whole_files_and_no_others() -> None:
    with Steps() as steps:
        long = steps.send(LONG)
        await steps.at_work()
        steps.engine.failure = RuntimeError("boom")
        steps.engine.release.set()
        with pytest.raises(Exception, match="boom"):
            await long
        steps.engine.failure = None
        assert (await steps.send(SHORT)).heard.transcript.segments
        await steps.empty()


async def test_closing_ends_what_waits_and_what_has_more_to_hear() -> None:
    with Steps() as steps:
        sent = [steps.send(SHORT), *(steps.send(LONG[: 5 * MAX_SAMPLES]) for _ in range(2))]
        await steps.at_work()
        assert not steps.inference.close(within=0)
        answers = await asyncio.gather(*sent[1:], return_exceptions=True)
        steps.engine.release.set()
        assert (await sent[0]).heard.transcript.segments
        await steps.empty()
    assert all(isinstance(answer, asyncio.CancelledError) for answer in answers)
    assert steps.heard == [len(SHORT)]


async def test_a_file_whose_next_turn_cannot_come_is_ended() -> None:
    with Steps() as steps:
        long = steps.send(LONG)
        await steps.at_work()
        assert not steps.inference.close(within=0)
        steps.engine.release.set()
        with pytest.raises(Cancelled):
            await long
        await steps.empty()
