"""The cpu engine: ONNX Runtime under the runtime's Engine Protocol, with one listener for each worker."""

from __future__ import annotations

import json
import logging
import platform
import queue
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from whisper_models.store.manifest_file import read_manifest
from whisper_runtime import capabilities
from whisper_runtime.decoding.context import ContextMode
from whisper_runtime.decoding.listener import Listener
from whisper_runtime.decoding.mel import LogMel
from whisper_runtime.decoding.together import hear_together
from whisper_runtime.decoding.vocabulary import Vocabulary
from whisper_runtime.engine import Artifact, Device, EngineInfo, Options, Stop, Transcript, Waveform, never
from whisper_runtime.results import DeviceUse

from whisper_cpu.engine import attention, processor
from whisper_cpu.engine.graphs import OnnxGraphs, out_of_memory, version
from whisper_cpu.settings import AttentionMode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LOG = logging.getLogger(__name__)
_ALWAYS = frozenset({"words", "prompt", "hotwords", "logprobs"})


class CpuEngine:
    """Whisper on the CPU."""

    def __init__(
        self, threads: int, workers: int = 1, context: ContextMode = "cut", attention: AttentionMode = "auto"
    ) -> None:
        self._threads, self._context, self._attention = threads, context, attention
        self.most_together = 1
        """By the model that is loaded."""
        self._listeners: queue.SimpleQueue[Listener] = queue.SimpleQueue()
        device = self._device()
        use = DeviceUse(requested="CPU", used="CPU")
        self.info = EngineInfo("cpu", version(), use, workers=workers, devices=(device,))

    def load(self, artifact: Artifact) -> None:
        """Open the graphs and make the workers' states."""
        config: dict[str, Any] = json.loads((artifact.path / "config.json").read_text())
        chosen = attention.choose(self._attention, artifact.precision, config)
        _LOG.log(logging.WARNING if chosen.missing else logging.INFO, "%s", chosen.described)
        graphs = OnnxGraphs(artifact.path, config, self._threads, chosen.library)
        vocabulary, mel = Vocabulary.read(artifact.path), LogMel(config["num_mel_bins"])
        self.most_together = graphs.most_together
        if artifact.precision != "fp32" and (flag := processor.lacks()):
            _LOG.warning(
                "this processor has no %s, without which a token in %s takes ten times as long: serve fp32 here",
                flag,
                artifact.precision,
            )
        for _ in range(self.info.workers):
            self._listeners.put(Listener(graphs, vocabulary, mel, self._context))
        self.info = replace(
            self.info,
            devices=(self._device(chosen.described),),
            capabilities=_ALWAYS | capabilities.of_model(artifact.model, multilingual=vocabulary.multilingual),
            languages=tuple(vocabulary.languages) or ("en",),
        )

    def transcribe(self, audio: Waveform, options: Options, stop: Stop = never) -> Transcript:
        """Hear a waveform with the next listener that is free."""
        with self._listener() as listener:
            return listener.transcribe(np.ascontiguousarray(audio, np.float32), options, stop)

    def transcribe_together(
        self, audios: Sequence[Waveform], options: Options, stop: Stop = never
    ) -> Iterator[tuple[Transcript, ...]]:
        """Decode waveforms of at most 30 s at once, each step with the next listener that is free."""
        return hear_together(self._listener, [np.ascontiguousarray(one, np.float32) for one in audios], options, stop)

    def close(self) -> None:
        """Drop the sessions and buffers."""
        while not self._listeners.empty():
            self._listeners.get_nowait()

    def _device(self, *known: str) -> Device:
        name = platform.processor() or platform.machine()
        return Device("CPU", ", ".join((name, f"{self._threads} threads", *known)), version())

    @contextmanager
    def _listener(self) -> Iterator[Listener]:
        listener = self._listeners.get()
        try:
            yield listener
        except Exception as error:
            if out_of_memory(error):
                raise MemoryError("inference found no more memory") from error
            raise
        finally:
            self._listeners.put(listener)


def load(
    folder: Path | str, threads: int = 1, context: ContextMode = "cut", attention: AttentionMode = "auto"
) -> CpuEngine:
    """An engine over a variant's folder, ready: for use as a library and in benchmarks."""
    engine = CpuEngine(threads, context=context, attention=attention)
    path = Path(folder)
    manifest = read_manifest(path)
    precision = manifest.precision if manifest else path.name
    engine.load(Artifact(path, model=path.parent.name, precision=precision, size_bytes=0))
    return engine
