"""The cpu engine: ONNX Runtime under the runtime's Engine Protocol, with one listener for each worker."""

from __future__ import annotations

import json
import platform
import queue
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from whisper_runtime import capabilities
from whisper_runtime.engine import Artifact, Device, EngineInfo, Options, Stop, Transcript, Waveform, never
from whisper_runtime.results import DeviceUse

from whisper_cpu.engine.graphs import load_graphs, out_of_memory, version
from whisper_cpu.engine.listener import Listener
from whisper_cpu.engine.mel import LogMel
from whisper_cpu.engine.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator

_ALWAYS = frozenset({"words", "prompt", "hotwords", "logprobs"})


class CpuEngine:
    """Whisper on the CPU."""

    def __init__(self, threads: int, workers: int = 1) -> None:
        self._threads = threads
        self._listeners: queue.SimpleQueue[Listener] = queue.SimpleQueue()
        device = Device("CPU", f"{platform.processor() or platform.machine()}, {threads} threads", version())
        use = DeviceUse(requested="CPU", used="CPU")
        self.info = EngineInfo("cpu", version(), use, workers=workers, devices=(device,))

    def load(self, artifact: Artifact) -> None:
        """Open the graphs and make the workers' states."""
        config: dict[str, Any] = json.loads((artifact.path / "config.json").read_text())
        graphs = load_graphs(artifact.path, config, self._threads)
        vocabulary, mel = Vocabulary.read(artifact.path), LogMel(config["num_mel_bins"])
        for _ in range(self.info.workers):
            self._listeners.put(Listener(graphs, vocabulary, mel))
        self.info = replace(
            self.info,
            capabilities=_ALWAYS | capabilities.of_model(artifact.model, multilingual=vocabulary.multilingual),
            languages=tuple(vocabulary.languages) or ("en",),
        )

    def transcribe(self, audio: Waveform, options: Options, stop: Stop = never) -> Transcript:
        """Hear a waveform with the next listener that is free."""
        with self._listener() as listener:
            try:
                return listener.transcribe(np.ascontiguousarray(audio, np.float32), options, stop)
            except Exception as error:
                if out_of_memory(error):
                    raise MemoryError("inference found no more memory") from error
                raise

    def close(self) -> None:
        """Drop the sessions and buffers."""
        while not self._listeners.empty():
            self._listeners.get_nowait()

    @contextmanager
    def _listener(self) -> Iterator[Listener]:
        listener = self._listeners.get()
        try:
            yield listener
        finally:
            self._listeners.put(listener)


def load(folder: Path | str, threads: int = 1) -> CpuEngine:
    """An engine over a variant's folder, ready: for use as a library and in benchmarks."""
    engine = CpuEngine(threads)
    path = Path(folder)
    engine.load(Artifact(path, model=path.parent.name, precision=path.name, size_bytes=0))
    return engine
