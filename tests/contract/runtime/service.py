"""A runtime on loopback, as clients meet it: a real uvicorn server over a fake or a real engine."""

from __future__ import annotations

import asyncio
import contextlib
import io
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import httpx
import numpy as np
import openai
import soundfile
import uvicorn
from whisper_cpu.engine import CpuEngine
from whisper_models.artifact import Format
from whisper_npu.engine import NpuEngine, OpenVinoDevices
from whisper_npu.settings import NpuSettings
from whisper_runtime.api.app import create_app
from whisper_runtime.artifacts import find_artifact
from whisper_runtime.engine import Artifact, Engine, Waveform
from whisper_runtime.fake import FakeEngine
from whisper_runtime.runtime import Runtime
from whisper_runtime.settings import Settings

from tests.support.artifacts import onnx_store, openvino_store
from tests.support.npu import CpuAsNpu
from tests.support.waiting import wait_until
from tests.support.words import JFK_WORDS, SAMPLE

MODEL = "tiny.en"
LIMITS: dict[str, Any] = {"max_queue_seconds": 70, "max_upload_bytes": 4_000_000, "max_audio_seconds": 100}
TIMEOUT = 60
T = TypeVar("T")


@dataclass
class Service:
    """A running runtime and how to talk to it."""

    url: str
    runtime: Runtime
    loop: asyncio.AbstractEventLoop
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(base_url=self.url, timeout=TIMEOUT)

    def send(self, audio: bytes, path: str = "/transcribe", *, name: str = "file", **fields: Any) -> httpx.Response:
        return self.client.post(path, files={name: ("clip", audio)}, data=fields)

    def ready(self) -> bool:
        return self.client.get("/readyz").status_code == httpx.codes.OK

    def on_its_loop(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What becomes of the work, done where the runtime lives."""
        return asyncio.run_coroutine_threadsafe(work(), self.loop).result(TIMEOUT)

    @property
    def queue(self) -> int:
        depth: int = self.client.get("/health").json()["queue"]["depth"]
        return depth

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """Inference is at work on a minute of speech, until this ends and its client hangs up."""
        engine = self.runtime.engine
        if isinstance(engine, FakeEngine):
            engine.release.clear()
        with hanging_up(self.url, long_speech()):
            wait_until(lambda: self.queue == 1, within=TIMEOUT, every=0.01, what="the minute is being transcribed")
            yield
        try:
            wait_until(lambda: self.queue == 0, within=TIMEOUT, every=0.02, what="the engine noticed the hang-up")
        finally:
            if isinstance(engine, FakeEngine):
                engine.release.set()


@contextlib.contextmanager
def hanging_up(url: str, audio: bytes) -> Iterator[None]:
    """A request in flight whose client disconnects at the end, whatever has become of it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def send() -> None:
        async with httpx.AsyncClient(timeout=TIMEOUT) as client:
            await client.post(f"{url}/transcribe", files={"file": audio})

    async def hang_up() -> None:
        """Its connection is closed when this returns."""
        sending = asyncio.all_tasks() - {asyncio.current_task()}
        for one in sending:
            one.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
        await loop.shutdown_asyncgens()

    asyncio.run_coroutine_threadsafe(send(), loop)
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(hang_up(), loop).result(TIMEOUT)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(TIMEOUT)
        loop.close()


def client_of(service: Service, retries: int = 0) -> openai.OpenAI:
    """OpenAI's own client, which is to be closed."""
    return openai.OpenAI(base_url=f"{service.url}/v1", api_key="none", max_retries=retries)


def long_speech() -> bytes:
    """A minute: the sample twice."""
    audio, rate = soundfile.read(SAMPLE, dtype="int16")
    return wav(np.concatenate([audio, audio]), rate)


def wav(audio: np.ndarray[Any, Any], rate: int = 16_000) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, audio, rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


def says(audio: Waveform) -> str:
    """What the fake engine hears: President Kennedy in a short clip, a greeting in a long one."""
    return JFK_WORDS if len(audio) < 15 * 16_000 else "Hello. Hello."


def fake_engine() -> tuple[Engine, Artifact]:
    return FakeEngine(says), Artifact(Path("/nowhere"), MODEL, "int8", size_bytes=1)


def cpu_engine() -> tuple[Engine, Artifact]:
    return CpuEngine(threads=1), find_artifact(onnx_store(MODEL), MODEL, Format.ONNX, "int8")


def npu_engine(model: str = MODEL, precision: str = "int8") -> tuple[Engine, Artifact]:
    """On OpenVINO's CPU device, which is everywhere."""
    engine = NpuEngine(NpuSettings(device_order=("CPU",)), OpenVinoDevices())
    return engine, find_artifact(openvino_store(model, precision), model, Format.OPENVINO, precision)


def genai_engine() -> tuple[Engine, Artifact]:
    """As on an NPU, where OpenVINO GenAI decodes."""
    _, artifact = npu_engine()
    return NpuEngine(NpuSettings(device_order=("NPU",)), CpuAsNpu()), artifact


def translating_fake() -> tuple[Engine, Artifact]:
    """A fake engine that claims to translate."""
    engine, artifact = FakeEngine(says), Artifact(Path("/nowhere"), "base", "int8", size_bytes=1)
    able = engine.info.capabilities | {"translate"}
    engine.info = replace(engine.info, capabilities=able, languages=("en", "de"))
    return engine, artifact


def multilingual_cpu() -> tuple[Engine, Artifact]:
    return CpuEngine(threads=1), find_artifact(onnx_store("base"), "base", Format.ONNX, "int8")


def multilingual_npu() -> tuple[Engine, Artifact]:
    return npu_engine("base")


ENGINES = {"fake": fake_engine, "cpu": cpu_engine, "npu": npu_engine}
WITH_GENAI = ENGINES | {"genai": genai_engine}
"""OpenVINO GenAI takes seconds for a clip, so not every test hears with it."""


@contextlib.contextmanager
def serving(engine: Engine, artifact: Artifact, *, await_ready: bool = True, **settings: Any) -> Iterator[Service]:
    """The app on a free port of loopback, in a thread."""
    app = create_app(engine, artifact, Settings(model=artifact.model, port=0, **{**LIMITS, **settings}))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started, within=TIMEOUT, every=0.01, what="uvicorn listens")
        port = server.servers[0].sockets[0].getsockname()[1]
        service = Service(f"http://127.0.0.1:{port}", app.state.runtime, server.servers[0].get_loop())
        with service.client:
            if await_ready:
                wait_until(service.ready, within=TIMEOUT, every=0.02, what="the runtime is ready")
            yield service
    finally:
        server.should_exit = True
        thread.join(TIMEOUT)
