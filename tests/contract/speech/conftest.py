"""Both engines that hear with the real model, as a file comes to them: in the core's windows, which know of voices."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from whisper_runtime.engine import Compiles, Engine, Options, Waveform, never
from whisper_runtime.speech.spans import DEFAULT
from whisper_runtime.speech.transcription import transcribe

from tests.contract.runtime.service import multilingual_cpu, multilingual_npu
from tests.support.heard import Heard

ENGINES = {"cpu": multilingual_cpu, "npu": multilingual_npu}
Hear = Callable[..., Heard]


@pytest.fixture(scope="package", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """The base model in INT8, ready."""
    made, artifact = ENGINES[request.param]()
    made.load(artifact)
    if isinstance(made, Compiles):
        made.compile()
    yield made
    made.close()


@pytest.fixture(scope="package")
def hear(engine: Engine) -> Hear:
    """What an engine hears in a waveform; keyword arguments are options."""

    def heard(audio: Waveform, *, vad: bool = True, **options: object) -> Heard:
        return Heard(transcribe(engine, audio, Options(**options), never, vad=DEFAULT if vad else None).transcript)  # type: ignore[arg-type]  # options by name

    return heard
