"""The CPU under an NPU's name: all that decodes on an NPU is at work but the driver and the static shapes."""

from __future__ import annotations

from dataclasses import replace

from whisper_npu.engine import OpenVinoDevices
from whisper_npu.engine.devices import Pipeline
from whisper_npu.engine.messages import Opening, Survey
from whisper_runtime.engine import Stop

_TOLD = {"word_timestamps": True, "INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
"""As on an NPU, but for what its own pipeline takes."""


class CpuAsNpu:
    """One device, an NPU; each of its pipelines is in a process of its own, as ever."""

    def __init__(self) -> None:
        self._devices = OpenVinoDevices()

    def survey(self, stop: Stop, limit: float) -> Survey:
        """The CPU, by the other name."""
        found = self._devices.survey(stop, limit)
        return Survey(tuple(replace(one, name="NPU") for one in found.devices if one.name == "CPU"), found.version)

    def open(self, opening: Opening, stop: Stop, limit: float) -> Pipeline:
        """Compiled for the CPU."""
        assert opening.by == "genai"
        return self._devices.open(replace(opening, device="CPU", properties=_TOLD), stop, limit)
