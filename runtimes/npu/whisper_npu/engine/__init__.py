"""Chooses devices and asks their processes, in which alone OpenVINO is loaded: see `whisper_npu.child`."""

from whisper_npu.engine.devices import Devices
from whisper_npu.engine.npu import NpuEngine
from whisper_npu.engine.process import OpenVinoDevices

__all__ = ["Devices", "NpuEngine", "OpenVinoDevices"]
